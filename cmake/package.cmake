# The Debian package: `cpack -G DEB --config build/release/CPackConfig.cmake` after a build.
#
# Everything but the program itself is of component "package", which a plain `cmake --install` leaves out: it has absolute
# destinations. Manual pages and completion are asked of the program when it is packed, so a build pays nothing for them.
set(NE_PACKAGE ${CMAKE_SOURCE_DIR}/deploy/package)
set(NE_PACKAGE_FILES ${CMAKE_BINARY_DIR}/package)
set(NE_PACKAGED COMPONENT package EXCLUDE_FROM_ALL)
set(NEAREDGE_MAINTAINER "The nearedge authors <nearedge@example.org>" CACHE STRING "who answers for the Debian package: NAME <MAIL>")

# SOURCE_DATE_EPOCH, as reproducible builds want it, else the newest change of the changelog.
file(TIMESTAMP ${CMAKE_SOURCE_DIR}/CHANGELOG.md NE_PACKAGE_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
if(DEFINED ENV{SOURCE_DATE_EPOCH})
    string(TIMESTAMP NE_PACKAGE_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
endif()
configure_file(${NE_PACKAGE}/changelog.in ${NE_PACKAGE_FILES}/changelog @ONLY)

install(CODE "
    file(MAKE_DIRECTORY \"${NE_PACKAGE_FILES}\")
    function(run out)
        execute_process(COMMAND \${ARGN} OUTPUT_FILE \"${NE_PACKAGE_FILES}/\${out}\" COMMAND_ERROR_IS_FATAL ANY)
    endfunction()
    run(man.log sh \"${CMAKE_SOURCE_DIR}/deploy/man/make-pages.sh\" \"$<TARGET_FILE:nearedge>\" ${PROJECT_VERSION} \"${NE_PACKAGE_FILES}/man\")
    run(completion \"$<TARGET_FILE:nearedge>\" completion bash)
    run(changelog.gz gzip -9nc \"${NE_PACKAGE_FILES}/changelog\")
    run(CHANGELOG.md.gz gzip -9nc \"${CMAKE_SOURCE_DIR}/CHANGELOG.md\")
" ${NE_PACKAGED})

function(ne_packaged folder)
    install(FILES ${ARGN} DESTINATION ${folder} ${NE_PACKAGED})
endfunction()

ne_packaged(/usr/share/man/man1 ${NE_PACKAGE_FILES}/man/nearedge.1.gz)
ne_packaged(/usr/share/man/man5 ${NE_PACKAGE_FILES}/man/nearedge.json.5.gz)
ne_packaged(/usr/share/doc/nearedge ${NE_PACKAGE}/copyright ${NE_PACKAGE_FILES}/CHANGELOG.md.gz ${NE_PACKAGE_FILES}/changelog.gz)
ne_packaged(/etc/nearedge ${NE_PACKAGE}/nearedge.json ${NE_PACKAGE}/limiters.json)
ne_packaged(/etc/nearedge/rulesets ${NE_PACKAGE}/rulesets/cache.json)
ne_packaged(/usr/lib/systemd/system deploy/nearedge.service deploy/nearedge.socket)
install(FILES ${NE_PACKAGE}/nearedge.sysusers DESTINATION /usr/lib/sysusers.d RENAME nearedge.conf ${NE_PACKAGED})
install(FILES ${NE_PACKAGE_FILES}/completion DESTINATION /usr/share/bash-completion/completions RENAME nearedge ${NE_PACKAGED})
install(DIRECTORY config/examples/ DESTINATION /usr/share/doc/nearedge/examples ${NE_PACKAGED})
install(DIRECTORY deploy/grafana deploy/prometheus DESTINATION /usr/share/doc/nearedge/examples ${NE_PACKAGED} PATTERN "*_test.yml" EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME nearedge)
set(CPACK_PACKAGE_CONTACT "${NEAREDGE_MAINTAINER}")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL program package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION httpd)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Cloudflare's edge on your own machine
A reverse proxy that stands in front of staging and CI and behaves like
Cloudflare's edge: it takes Cloudflare's rulesets, caches and limits
requests as Cloudflare does, simulates several locations in one process
and explains its decisions.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The first one brings no service manager into a container; where systemd is installed, it provides the second.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "redis-server, prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${NE_PACKAGE}/conffiles ${NE_PACKAGE}/postinst ${NE_PACKAGE}/prerm ${NE_PACKAGE}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
