# `cmake --install` puts bin/questlog, and DuckDB and librdkafka into lib/questlog/ beside it. The .deb holds that and depends on
# Debian's packages for the other libraries; the tar.gz carries those too, and runs wherever glibc is as new as ours.
install(TARGETS questlog RUNTIME_DEPENDENCY_SET questlog_libraries
        RUNTIME DESTINATION bin COMPONENT questlog)
install(IMPORTED_RUNTIME_ARTIFACTS duckdb rdkafka RUNTIME_DEPENDENCY_SET questlog_libraries
        LIBRARY DESTINATION ${QUESTLOG_INSTALL_LIBDIR} COMPONENT questlog)
install(FILES README.md LICENSE THIRD_PARTY.md CHANGELOG.md DESTINATION share/doc/questlog COMPONENT questlog)
install(FILES ${DUCKDB_DIR}/LICENSES.txt RENAME duckdb.txt
        DESTINATION share/doc/questlog/licences COMPONENT questlog OPTIONAL)
install(FILES ${RDKAFKA_DIR}/LICENSES.txt RENAME librdkafka.txt
        DESTINATION share/doc/questlog/licences COMPONENT questlog OPTIONAL)
foreach(package libboost1.81-dev libcli11-dev libcurl4-openssl-dev libfmt-dev liblz4-dev libsasl2-dev libsimdjson-dev libspdlog-dev
                libssl-dev libtomlplusplus-dev libxxhash-dev libzstd-dev prometheus-cpp-dev zlib1g-dev)
  install(FILES /usr/share/doc/${package}/copyright RENAME ${package}.txt
          DESTINATION share/doc/questlog/licences COMPONENT questlog OPTIONAL)
endforeach()
install(RUNTIME_DEPENDENCY_SET questlog_libraries
        PRE_EXCLUDE_REGEXES "^ld-linux" "^lib(c|m|dl|rt|pthread|stdc\\+\\+|gcc_s|resolv|duckdb|rdkafka)\\.so"
        LIBRARY DESTINATION ${QUESTLOG_INSTALL_LIBDIR} COMPONENT libraries EXCLUDE_FROM_ALL)

set(CPACK_PACKAGE_NAME questlog)
set(CPACK_PACKAGE_VENDOR "The questlog authors")
set(CPACK_PACKAGE_CONTACT "The questlog authors <questlog@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_SYSTEM_NAME linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_SOURCE_DIR}/dist)
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR "DEB;TGZ")
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/PackagingByGenerator.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${DUCKDB_DIR}/lib ${DUCKDB_DIR} ${RDKAFKA_DIR}/lib)
include(CPack)
