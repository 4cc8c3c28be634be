# package require polynats for Tcl: what SWIG writes from tcl.i, the part written by hand, and a little Tcl. The folder
# <build>/tcl/polynats is a package as it is installed; a test puts <build>/tcl on TCLLIBPATH.
find_program(TCLSH NAMES tclsh tclsh9.0 tclsh8.6)
find_package(TCL QUIET)
find_package(TclStub QUIET)
set(TCL_SOURCE ${PROJECT_SOURCE_DIR}/bindings/tcl)
set(TCL_BUILD ${CMAKE_BINARY_DIR}/tcl/polynats)
set(tcl_missing)
if(NOT TCL_INCLUDE_PATH OR NOT TCL_STUB_LIBRARY)
  set(tcl_missing "Tcl's headers and its stub library (Debian: tcl-dev)")
endif()
if(NOT SWIG_EXECUTABLE)
  set(tcl_missing "SWIG 4.1 or newer (Debian: swig)")
endif()
if(tcl_missing)
  leave_out(tcl "${tcl_missing}")
  return()
endif()

file(STRINGS ${TCL_INCLUDE_PATH}/tcl.h tcl_version REGEX "define TCL_MAJOR_VERSION")
string(REGEX MATCH "[0-9]+" tcl_major "${tcl_version}")
# A module for Tcl 8 and one for Tcl 9 are two files; either runs in every later version of its kind.
set(TCL_SATISFIES 8.6)
if(tcl_major GREATER 8)
  set(TCL_SATISFIES 9.0)
endif()

file(GLOB TCL_C_SOURCES CONFIGURE_DEPENDS ${TCL_SOURCE}/*.c)
set_source_files_properties(tcl.i PROPERTIES SWIG_FLAGS "-Wall;-nosafe"
                            DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/polynats.i")
swig_add_library(polynats_tcl TYPE MODULE LANGUAGE tcl OUTPUT_DIR ${CMAKE_CURRENT_BINARY_DIR}/tcl
                 OUTFILE_DIR ${CMAKE_CURRENT_BINARY_DIR}/tcl SOURCES tcl.i ${TCL_C_SOURCES})
set_target_properties(polynats_tcl PROPERTIES PREFIX "" OUTPUT_NAME polynats_tcl
                      LIBRARY_OUTPUT_DIRECTORY ${TCL_BUILD})
target_compile_definitions(polynats_tcl PRIVATE USE_TCL_STUBS)
target_include_directories(polynats_tcl SYSTEM PRIVATE ${TCL_INCLUDE_PATH})
target_include_directories(polynats_tcl PRIVATE ${TCL_SOURCE})
target_link_libraries(polynats_tcl PRIVATE polynats ${TCL_STUB_LIBRARY})
target_link_options(polynats_tcl PRIVATE -Wl,--version-script=${TCL_SOURCE}/exports.map)
set_target_properties(polynats_tcl PROPERTIES LINK_DEPENDS ${TCL_SOURCE}/exports.map)
set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/tcl/tclTCL_wrap.c PROPERTIES COMPILE_OPTIONS "-w")

set(TCL_MODULE_FILE polynats_tcl${CMAKE_SHARED_MODULE_SUFFIX})
configure_file(${TCL_SOURCE}/pkgIndex.tcl.in ${TCL_BUILD}/pkgIndex.tcl @ONLY)
set(TCL_SCRIPTS polynats.tcl jetstream.tcl)
foreach(script ${TCL_SCRIPTS})
  add_custom_command(OUTPUT ${TCL_BUILD}/${script} DEPENDS ${TCL_SOURCE}/${script}
                     COMMAND ${CMAKE_COMMAND} -E copy ${TCL_SOURCE}/${script} ${TCL_BUILD}/${script})
endforeach()
add_custom_target(polynats_tcl_script ALL DEPENDS ${TCL_BUILD}/polynats.tcl ${TCL_BUILD}/jetstream.tcl)

# The package finds the library where the same prefix has it, or beside itself.
set(POLYNATS_TCL_DIR lib/tcltk/polynats${PROJECT_VERSION} CACHE STRING "Folder of the Tcl package under the prefix")
file(RELATIVE_PATH TCL_TO_LIB /${POLYNATS_TCL_DIR} /${CMAKE_INSTALL_LIBDIR})
set_target_properties(polynats_tcl PROPERTIES INSTALL_RPATH "$ORIGIN;$ORIGIN/${TCL_TO_LIB}")
install(TARGETS polynats_tcl LIBRARY DESTINATION ${POLYNATS_TCL_DIR} COMPONENT tcl)
install(FILES ${TCL_BUILD}/pkgIndex.tcl ${TCL_SOURCE}/polynats.tcl ${TCL_SOURCE}/jetstream.tcl DESTINATION ${POLYNATS_TCL_DIR} COMPONENT tcl)
install(FILES ${TCL_SOURCE}/polynats.n DESTINATION ${CMAKE_INSTALL_MANDIR}/mann COMPONENT tcl)
# cmake --install … --component tcl-bundle --prefix DIR: the package alone, with the library inside.
install(TARGETS polynats LIBRARY DESTINATION . COMPONENT tcl-bundle EXCLUDE_FROM_ALL NAMELINK_SKIP)
install(TARGETS polynats_tcl LIBRARY DESTINATION . COMPONENT tcl-bundle EXCLUDE_FROM_ALL)
install(FILES ${TCL_BUILD}/pkgIndex.tcl ${TCL_SOURCE}/polynats.tcl ${TCL_SOURCE}/jetstream.tcl ${TCL_SOURCE}/polynats.n DESTINATION .
        COMPONENT tcl-bundle EXCLUDE_FROM_ALL)
