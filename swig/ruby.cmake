# require "polynats" for Ruby: what SWIG writes from ruby.i, and the part written by hand. <build>/ruby is what a test
# puts on RUBYLIB: the extension, and the thin layer beside it.
find_program(RUBY ruby)
set(RUBY_SOURCE ${PROJECT_SOURCE_DIR}/bindings/ruby)
set(RUBY_BUILD ${CMAKE_BINARY_DIR}/ruby)
set(ruby_missing)
if(RUBY)
  execute_process(COMMAND ${RUBY} -rrbconfig -e
                          "puts RbConfig::CONFIG.values_at('rubyhdrdir', 'rubyarchhdrdir', 'DLEXT').join(';')"
                  OUTPUT_VARIABLE ruby_says OUTPUT_STRIP_TRAILING_WHITESPACE)
  list(GET ruby_says 0 ruby_headers)
  list(GET ruby_says 1 ruby_arch_headers)
  list(GET ruby_says 2 ruby_suffix)
  if(NOT EXISTS ${ruby_headers}/ruby.h)
    set(ruby_missing "the headers of ${RUBY} (Debian: ruby-dev)")
  endif()
else()
  set(ruby_missing "ruby")
endif()
if(NOT SWIG_EXECUTABLE)
  set(ruby_missing "SWIG 4.1 or newer (Debian: swig)")
endif()
if(ruby_missing)
  leave_out(ruby "${ruby_missing}")
  return()
endif()

file(GLOB RUBY_C_SOURCES CONFIGURE_DEPENDS ${RUBY_SOURCE}/ext/polynats/*.c)
set_source_files_properties(ruby.i PROPERTIES SWIG_FLAGS "-Wall"
                            DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/polynats.i")
swig_add_library(polynats_ruby TYPE MODULE LANGUAGE ruby OUTPUT_DIR ${CMAKE_CURRENT_BINARY_DIR}/ruby
                 OUTFILE_DIR ${CMAKE_CURRENT_BINARY_DIR}/ruby SOURCES ruby.i ${RUBY_C_SOURCES})
set_target_properties(polynats_ruby PROPERTIES PREFIX "" OUTPUT_NAME polynats SUFFIX .${ruby_suffix}
                      LIBRARY_OUTPUT_DIRECTORY ${RUBY_BUILD}/polynats)
target_include_directories(polynats_ruby SYSTEM PRIVATE ${ruby_headers} ${ruby_arch_headers})
target_include_directories(polynats_ruby PRIVATE ${RUBY_SOURCE}/ext/polynats)
target_link_libraries(polynats_ruby PRIVATE polynats)
# Ruby's headers, and SWIG's code, were not written for our warnings.
target_compile_options(polynats_ruby PRIVATE -Wno-unused-parameter -Wno-strict-prototypes)
set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/ruby/rubyRUBY_wrap.c PROPERTIES COMPILE_OPTIONS "-w")
if(POLYNATS_SANITIZE MATCHES "address" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # An exception of Ruby's on the stack of a fiber leaves that poisoned: ASan knows the stacks of threads only.
  target_compile_options(polynats_ruby PRIVATE --param asan-stack=0)
endif()

file(GLOB RUBY_LIB_SOURCES CONFIGURE_DEPENDS RELATIVE ${RUBY_SOURCE}/lib ${RUBY_SOURCE}/lib/*.rb
     ${RUBY_SOURCE}/lib/polynats/*.rb)
foreach(file ${RUBY_LIB_SOURCES})
  list(APPEND ruby_copies ${RUBY_BUILD}/${file})
  add_custom_command(OUTPUT ${RUBY_BUILD}/${file} DEPENDS ${RUBY_SOURCE}/lib/${file}
                     COMMAND ${CMAKE_COMMAND} -E copy ${RUBY_SOURCE}/lib/${file} ${RUBY_BUILD}/${file})
endforeach()
add_custom_target(polynats_ruby_lib ALL DEPENDS ${ruby_copies})
