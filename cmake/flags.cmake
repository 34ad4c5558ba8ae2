# Warnings are errors in our own code; third-party sources are compiled without them.
set(NE_WARNINGS
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wno-sign-conversion
    -Wvla -Wformat=2 -Wundef -Werror)

add_compile_options(-fno-common -fvisibility=hidden)

if(NEAREDGE_SANITIZE)
    add_compile_options(-fsanitize=${NEAREDGE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${NEAREDGE_SANITIZE})
else()
    # Hardening that costs a hit 1.2 % of its instructions (bench/guard). tests/lint/hardening.py reads it
    # off the program. Branch protection is spelled differently by processor.
    include(CheckCCompilerFlag)
    add_compile_options(-fstack-protector-strong -fstack-clash-protection -fPIE)
    foreach(flag -fcf-protection=full -mbranch-protection=standard)
        string(MAKE_C_IDENTIFIER "NE_HAS${flag}" known)
        check_c_compiler_flag(${flag} ${known})
        if(${known})
            add_compile_options(${flag})
        endif()
    endforeach()
    if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    endif()
    add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION AND NEAREDGE_TESTS)
    # The program is optimised as a whole at its link; unit tests link the plain code beside it, or each of them would be
    # optimised as a whole too, which takes longer than everything else together (tests/CMakeLists.txt).
    add_compile_options(-ffat-lto-objects)
endif()
if(NEAREDGE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link) # without it the fuzzers cannot see where they get
endif()
if(NEAREDGE_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic) # several workers count the same lines
    add_link_options(--coverage)
endif()
