# Warnings are errors in our own code; third-party sources are compiled without them.
set(NE_WARNINGS
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wno-sign-conversion
    -Wvla -Wformat=2 -Wundef -Werror)

add_compile_options(-fno-common -fvisibility=hidden)

if(NEAREDGE_SANITIZE)
    add_compile_options(-fsanitize=${NEAREDGE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${NEAREDGE_SANITIZE})
else()
    # Hardening that costs nothing measurable on the hot path.
    add_compile_options(-fstack-protector-strong -fcf-protection=full -fPIE)
    if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
        add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()
    add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(NEAREDGE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link) # without it the fuzzers cannot see where they get
endif()
if(NEAREDGE_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()
