# import polynats for Python: what SWIG writes from python.i, the part written by hand, and the classes in Python.
# <build>/python is what a test puts on PYTHONPATH.
find_package(Python3 3.9 QUIET COMPONENTS Interpreter Development.Module)
set(PYTHON_SOURCE ${PROJECT_SOURCE_DIR}/bindings/python)
set(PYTHON_BUILD ${CMAKE_BINARY_DIR}/python/polynats)
# A source package (which has a PKG-INFO) has what SWIG wrote, so that installing needs no SWIG.
set(PYTHON_GENERATED ${PYTHON_SOURCE}/generated/pythonPYTHON_wrap.c)
set(python_from_package)
if(EXISTS ${PYTHON_GENERATED} AND EXISTS ${PROJECT_SOURCE_DIR}/PKG-INFO)
  set(python_from_package ON)
endif()
set(python_missing)
if(NOT TARGET Python3::Module)
  set(python_missing "Python's headers, 3.9 or newer (Debian: python3-dev)")
elseif(NOT SWIG_EXECUTABLE AND NOT python_from_package)
  set(python_missing "SWIG 4.1 or newer (Debian: swig)")
endif()
if(python_missing)
  leave_out(python "${python_missing}")
  return()
endif()

file(GLOB PYTHON_C_SOURCES CONFIGURE_DEPENDS ${PYTHON_SOURCE}/ext/*.c)
if(python_from_package)
  set(python_wrap ${PYTHON_GENERATED})
  Python3_add_library(polynats_python MODULE ${python_wrap} ${PYTHON_C_SOURCES})
else()
  set(python_wrap ${CMAKE_CURRENT_BINARY_DIR}/python/pythonPYTHON_wrap.c)
  set_source_files_properties(python.i PROPERTIES SWIG_FLAGS "-Wall;-noproxy"
                              DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/polynats.i")
  swig_add_library(polynats_python TYPE MODULE LANGUAGE python
                   OUTPUT_DIR ${CMAKE_CURRENT_BINARY_DIR}/python
                   OUTFILE_DIR ${CMAKE_CURRENT_BINARY_DIR}/python SOURCES python.i ${PYTHON_C_SOURCES})
  target_link_libraries(polynats_python PRIVATE Python3::Module)
endif()
# One name for all builds of an interpreter; what it holds is for that version alone.
execute_process(COMMAND ${Python3_EXECUTABLE} -c
                        "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"
                OUTPUT_VARIABLE python_suffix OUTPUT_STRIP_TRAILING_WHITESPACE)
set(POLYNATS_PYTHON_SUFFIX ${python_suffix} CACHE INTERNAL "Of modules for the Python that was found")
set_target_properties(polynats_python PROPERTIES PREFIX "" OUTPUT_NAME _polynats SUFFIX ${python_suffix}
                      LIBRARY_OUTPUT_DIRECTORY ${PYTHON_BUILD} C_VISIBILITY_PRESET hidden)
target_include_directories(polynats_python PRIVATE ${PYTHON_SOURCE}/ext)
target_link_libraries(polynats_python PRIVATE polynats Threads::Threads)
# Python's macros, and SWIG's code, were not written for our warnings.
target_compile_options(polynats_python PRIVATE -Wno-deprecated-declarations
                       -Wno-missing-field-initializers)
set_source_files_properties(${python_wrap} PROPERTIES COMPILE_OPTIONS "-w")

# The package for pip: beside the module, which finds it there, the library. Only when asked for by the component.
set_target_properties(polynats_python PROPERTIES INSTALL_RPATH $ORIGIN)
install(TARGETS polynats_python LIBRARY DESTINATION polynats COMPONENT python EXCLUDE_FROM_ALL)
install(FILES $<TARGET_FILE:polynats> RENAME $<TARGET_SONAME_FILE_NAME:polynats> DESTINATION polynats
        COMPONENT python EXCLUDE_FROM_ALL)
if(CMAKE_STRIP)
  install(CODE "execute_process(COMMAND ${CMAKE_STRIP} --strip-unneeded
    \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/polynats/$<TARGET_SONAME_FILE_NAME:polynats>)"
          COMPONENT python EXCLUDE_FROM_ALL)
endif()

file(GLOB PYTHON_FILES CONFIGURE_DEPENDS RELATIVE ${PYTHON_SOURCE}/polynats
     ${PYTHON_SOURCE}/polynats/*.py ${PYTHON_SOURCE}/polynats/*.pyi ${PYTHON_SOURCE}/polynats/py.typed)
set(python_copies)
foreach(file ${PYTHON_FILES})
  list(APPEND python_copies ${PYTHON_BUILD}/${file})
  add_custom_command(OUTPUT ${PYTHON_BUILD}/${file} DEPENDS ${PYTHON_SOURCE}/polynats/${file}
                     COMMAND ${CMAKE_COMMAND} -E copy ${PYTHON_SOURCE}/polynats/${file}
                             ${PYTHON_BUILD}/${file})
endforeach()
add_custom_target(polynats_python_files ALL DEPENDS ${python_copies})
