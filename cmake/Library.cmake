# The library, a folder at a time: each is a set of objects, named after its layer.
set(LIBNATS ${CMAKE_CURRENT_SOURCE_DIR}/libnats)
set(SANS_IO_LAYERS base json proto)
set(OTHER_LAYERS crypto zip io client jetstream api)

function(add_layer name)
  add_library(${name} OBJECT ${ARGN})
  target_include_directories(${name} PUBLIC ${LIBNATS} ${LIBNATS}/include)
  target_link_libraries(${name} PUBLIC PkgConfig::JSONC Threads::Threads)
  set_property(GLOBAL APPEND PROPERTY LAYERS ${name})
endfunction()

# What stands on OpenSSL, or on zlib, has a file of the same name in none/ for builds without it.
function(use_instead sources_io none)
  file(GLOB instead CONFIGURE_DEPENDS ${none}/*.c)
  set(kept ${${sources_io}})
  list(FILTER kept EXCLUDE REGEX "/tls_context.c$") # serves the file that is replaced
  foreach(file ${instead})
    get_filename_component(name ${file} NAME)
    list(FILTER kept EXCLUDE REGEX "/${name}$")
    list(APPEND kept ${file})
  endforeach()
  set(${sources_io} ${kept} PARENT_SCOPE)
endfunction()

# The clock is in base, and needs the system: it is no part of what can be used without I/O.
add_layer(nats_clock ${LIBNATS}/base/clock.c)
foreach(folder ${SANS_IO_LAYERS} ${OTHER_LAYERS})
  file(GLOB sources CONFIGURE_DEPENDS ${LIBNATS}/${folder}/*.c)
  list(REMOVE_ITEM sources ${LIBNATS}/base/clock.c)
  if(NOT POLYNATS_TLS AND NOT folder STREQUAL "zip")
    use_instead(sources ${LIBNATS}/${folder}/none)
  elseif(NOT POLYNATS_ZLIB AND folder STREQUAL "zip")
    use_instead(sources ${LIBNATS}/${folder}/none)
  endif()
  add_layer(nats_layer_${folder} ${sources})
endforeach()
if(POLYNATS_TLS)
  target_link_libraries(nats_layer_crypto PUBLIC OpenSSL::Crypto)
  target_link_libraries(nats_layer_io PUBLIC OpenSSL::SSL)
endif()
if(POLYNATS_ZLIB)
  target_link_libraries(nats_layer_zip PUBLIC ZLIB::ZLIB)
endif()

get_property(layers GLOBAL PROPERTY LAYERS)
set(LIBRARY_OBJECTS)
foreach(layer ${layers})
  list(APPEND LIBRARY_OBJECTS $<TARGET_OBJECTS:${layer}>)
endforeach()

# The part without I/O as one object: what a program with its own socket needs. tests/abi/proto_symbols.sh looks at
# what it asks of the system.
set(SANS_IO_OBJECTS)
foreach(folder ${SANS_IO_LAYERS})
  list(APPEND SANS_IO_OBJECTS $<TARGET_OBJECTS:nats_layer_${folder}>)
endforeach()
set(NATS_PROTO_OBJECT ${CMAKE_BINARY_DIR}/nats_proto.o)
add_custom_command(OUTPUT ${NATS_PROTO_OBJECT}
                   COMMAND ${CMAKE_C_COMPILER} -nostdlib -r -o ${NATS_PROTO_OBJECT}
                           ${SANS_IO_OBJECTS}
                   DEPENDS ${SANS_IO_OBJECTS} COMMAND_EXPAND_LISTS VERBATIM
                   COMMENT "Linking nats_proto.o: the part without I/O")
if(NOT POLYNATS_LTO)
  add_custom_target(nats_proto ALL DEPENDS ${NATS_PROTO_OBJECT})
endif()

add_library(polynats SHARED ${LIBRARY_OBJECTS})
add_library(polynats_static STATIC ${LIBRARY_OBJECTS})
set(VERSION_SCRIPT ${LIBNATS}/abi/libpolynats.map)
set_target_properties(polynats PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${POLYNATS_ABI}
                      LINK_DEPENDS ${VERSION_SCRIPT})
set_target_properties(polynats_static PROPERTIES OUTPUT_NAME polynats)
# nodelete: a thread that looks up a host name may outlive the last client, and with it a module
# that a script unloads.
target_link_options(polynats PRIVATE -Wl,-z,relro -Wl,-z,now -Wl,-z,nodelete
                    -Wl,--version-script=${VERSION_SCRIPT})
if(NOT POLYNATS_SANITIZE AND NOT POLYNATS_FUZZ)
  # A sanitizer's own symbols come with the program, not with the library.
  target_link_options(polynats PRIVATE -Wl,-z,defs)
endif()

foreach(library polynats polynats_static)
  target_include_directories(${library} PUBLIC $<BUILD_INTERFACE:${LIBNATS}/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
target_link_libraries(polynats PRIVATE PkgConfig::JSONC Threads::Threads)
target_link_libraries(polynats_static PUBLIC Threads::Threads json-c)
if(POLYNATS_TLS)
  target_link_libraries(polynats PRIVATE OpenSSL::SSL OpenSSL::Crypto)
  target_link_libraries(polynats_static PUBLIC OpenSSL::SSL OpenSSL::Crypto)
endif()
if(POLYNATS_ZLIB)
  target_link_libraries(polynats PRIVATE ZLIB::ZLIB)
  target_link_libraries(polynats_static PUBLIC ZLIB::ZLIB)
endif()
