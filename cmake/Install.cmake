# cmake --install: both libraries, headers, pkg-config file, CMake package, the module for LuaJIT.
# tests/abi/install.sh uses all of it.
include(CMakePackageConfigHelpers)
set(PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/polynats)

install(TARGETS polynats EXPORT polynats LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS polynats_static EXPORT polynats ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${LIBNATS}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")

set_target_properties(polynats_static PROPERTIES EXPORT_NAME static)
install(EXPORT polynats NAMESPACE polynats:: FILE polynatsTargets.cmake DESTINATION ${PACKAGE_DIR})
configure_package_config_file(${CMAKE_CURRENT_SOURCE_DIR}/cmake/polynatsConfig.cmake.in
                              polynatsConfig.cmake INSTALL_DESTINATION ${PACKAGE_DIR})
# Before 1.0 a new minor version may bring a new ABI.
write_basic_package_version_file(polynatsConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/polynatsConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/polynatsConfigVersion.cmake DESTINATION ${PACKAGE_DIR})

# LuaJIT's module needs no build, and finds polynats_ffi.h from where it is.
install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/bindings/ffi/luajit/
        DESTINATION ${CMAKE_INSTALL_DATADIR}/lua/5.1 FILES_MATCHING PATTERN "*.lua")
install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/lua/nats.meta.lua
              ${CMAKE_CURRENT_SOURCE_DIR}/lua/nats.jetstream.meta.lua
        DESTINATION ${CMAKE_INSTALL_DATADIR}/polynats)

# The prefix as seen from the .pc file: an installed tree may be moved.
file(RELATIVE_PATH PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" PC_UP "${PC_UP}")
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/cmake/polynats.pc.in polynats.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/polynats.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
