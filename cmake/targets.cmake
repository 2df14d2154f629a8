# How our own targets are made: one static library a top-level folder, warnings are errors, sanitizers on demand.

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# Warnings and sanitizers for one target of ours; never for others' code.
function(pointsman_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # False alarms of g++ 12: string concatenation (PR105329), frames of coroutines.
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-mismatched-new-delete)
  endif()
  pointsman_sanitizers(${target})
endfunction()

function(pointsman_sanitizers target)
  if(POINTSMAN_ASAN)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  elseif(POINTSMAN_TSAN)
    target_compile_options(${target} PRIVATE -fsanitize=thread -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=thread)
  endif()
endfunction()

# Everything in proto/ as the library pointsman_proto; headers are "pointsman/v1/x.pb.h".
function(pointsman_proto_library)
  file(GLOB_RECURSE protos CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/proto ${CMAKE_SOURCE_DIR}/proto/*.proto)
  set(out ${CMAKE_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${out})
  foreach(proto ${protos})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(files ${out}/${stem}.pb.cc ${out}/${stem}.pb.h ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
    add_custom_command(
      OUTPUT ${files}
      COMMAND protobuf::protoc -I${CMAKE_SOURCE_DIR}/proto --cpp_out=${out} --grpc_out=${out}
              --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} ${proto}
      DEPENDS ${CMAKE_SOURCE_DIR}/proto/${proto}
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}/proto)
    list(APPEND sources ${out}/${stem}.pb.cc ${out}/${stem}.grpc.pb.cc)
  endforeach()
  add_library(pointsman_proto STATIC ${sources})
  target_include_directories(pointsman_proto SYSTEM PUBLIC ${out})
  target_link_libraries(pointsman_proto PUBLIC gRPC::grpc++ protobuf::libprotobuf Threads::Threads)
  pointsman_sanitizers(pointsman_proto)
endfunction()

# pointsman_library(NAME [FOLDER...]): all .cc files of the folder NAME (main.cc excepted) as pointsman_NAME, which may
# use the folders that follow.
function(pointsman_library name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/router/main\\.cc$")
  if(NOT POINTSMAN_LOCAL_ENGINE)
    list(FILTER sources EXCLUDE REGEX "/backends/engine/llama/")
  endif()
  add_library(pointsman_${name} STATIC ${sources})
  target_include_directories(pointsman_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_definitions(pointsman_${name} PUBLIC BOOST_ASIO_SEPARATE_COMPILATION)
  foreach(dependency ${ARGN})
    target_link_libraries(pointsman_${name} PUBLIC pointsman_${dependency})
  endforeach()
  pointsman_options(pointsman_${name})
  cmake_language(EVAL CODE "
    if(COMMAND pointsman_${name}_dependencies)
      pointsman_${name}_dependencies(pointsman_${name})
    endif()")
endfunction()

# What each folder's library needs from outside.
function(pointsman_base_dependencies target)
  target_link_libraries(${target} PUBLIC Boost::headers Threads::Threads OpenSSL::Crypto OpenSSL::SSL)
endfunction()
function(pointsman_config_dependencies target)
  target_link_libraries(${target} PUBLIC yaml-cpp)
endfunction()
function(pointsman_backends_dependencies target)
  target_link_libraries(${target} PUBLIC pointsman_proto CURL::libcurl)
  if(POINTSMAN_LOCAL_ENGINE)
    target_link_libraries(${target} PRIVATE pointsman_llama)
    target_compile_definitions(${target} PUBLIC POINTSMAN_LOCAL_ENGINE=1)
  endif()
endfunction()
function(pointsman_router_dependencies target)
  target_link_libraries(${target} PUBLIC prometheus-cpp::core prometheus-cpp::pull spdlog::spdlog CLI11::CLI11
                        gRPC::grpc++_reflection)
  target_link_libraries(${target} PRIVATE ZLIB::ZLIB utf8proc PkgConfig::HIREDIS PkgConfig::ZSTD PkgConfig::CBC Eigen3::Eigen)
  target_compile_options(${target} PRIVATE -fno-math-errno)  # lets the compiler vectorise sqrt
endfunction()
