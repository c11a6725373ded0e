# What `make install` puts where: GNU's directories under the prefix; libraries in lib unless CMAKE_INSTALL_LIBDIR says otherwise.
if(NOT DEFINED CMAKE_INSTALL_LIBDIR)
    set(CMAKE_INSTALL_LIBDIR lib)
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(TENON_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/tenon)

install(TARGETS tenon EXPORT tenon-shared-targets)
install(TARGETS tenon_static EXPORT tenon-static-targets)
install(TARGETS tenon_cli)
install(DIRECTORY include/ TYPE INCLUDE FILES_MATCHING PATTERN "*.h")
install(FILES docs/tenon.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# The CMake package. The static library's targets are a file of their own: only they need zlib and jansson to be found.
foreach(kind shared static)
    install(EXPORT tenon-${kind}-targets NAMESPACE tenon:: DESTINATION ${TENON_CMAKE_DIR})
endforeach()
configure_package_config_file(cmake/tenon-config.cmake.in ${PROJECT_BINARY_DIR}/tenon-config.cmake INSTALL_DESTINATION ${TENON_CMAKE_DIR}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tenon-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tenon-config.cmake ${PROJECT_BINARY_DIR}/tenon-config-version.cmake cmake/FindJansson.cmake
        DESTINATION ${TENON_CMAKE_DIR})

# pkg-config. Its prefix is told from where the file lies, so that an installed tree may be moved, or be a package's DESTDIR.
file(RELATIVE_PATH TENON_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" TENON_PC_TO_PREFIX "${TENON_PC_TO_PREFIX}")
configure_file(cmake/tenon.pc.in ${PROJECT_BINARY_DIR}/tenon.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tenon.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
