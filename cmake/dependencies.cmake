# The libraries that the project stands on. scripts/bootstrap installs every one of them.
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core pull)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)  # headers only
find_package(Boost 1.81 REQUIRED)  # headers only: Asio and JSON
find_package(gRPC CONFIG REQUIRED)  # not with pkg-config, which takes 15 s for gRPC's hundred libraries
find_package(PkgConfig REQUIRED)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)  # values in Redis
pkg_check_modules(CBC REQUIRED IMPORTED_TARGET cbc)  # the solver of pointsman map
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

if(POINTSMAN_LOCAL_ENGINE)
  include(llama)
endif()
