# The embedded engine's library as the target pointsman_llama: llama.h and its libraries, and from llama.cpp's `common`
# the chat templates ("jinja/..."), json.h and json-schema-to-grammar.h.
#
# libllama is, in this order:
#   1. an installed `llama` CMake package found through CMAKE_PREFIX_PATH: the presets point to build/deps/llama, which
#      scripts/bootstrap builds once for all of them;
#   2. built with us from POINTSMAN_LLAMA_SOURCE, a llama.cpp tree.
# The files of `common` are in no package: they always come from POINTSMAN_LLAMA_SOURCE, by default the tree that
# scripts/bootstrap unpacks. Package and tree must be of the same version. -DPOINTSMAN_LOCAL_ENGINE=OFF needs neither.
#
# llama.cpp is always compiled as Release with NDEBUG and without our warnings and sanitizers: without NDEBUG a wrong
# index aborts the process where Release returns an error, and unoptimised kernels are useless.

set(POINTSMAN_LLAMA_SOURCE "${CMAKE_SOURCE_DIR}/build/deps/llama.cpp" CACHE PATH "A llama.cpp source tree")

function(pointsman_llama_missing what)
  message(FATAL_ERROR "The embedded engine needs llama.cpp, but ${what}.\n"
    "Run scripts/bootstrap once: it fetches and builds the pinned version for all presets.\n"
    "Or give your own: -DPOINTSMAN_LLAMA_SOURCE=DIR (a llama.cpp tree), with or without an installed `llama` package "
    "of the same version in CMAKE_PREFIX_PATH.\n"
    "Or build a router without it: -DPOINTSMAN_LOCAL_ENGINE=OFF.")
endfunction()

set(llama_common_sources
  jinja/caps.cpp jinja/lexer.cpp jinja/parser.cpp jinja/runtime.cpp jinja/string.cpp jinja/value.cpp
  unicode.cpp json.cpp json-schema.cpp json-schema-to-grammar.cpp trie.cpp)
list(TRANSFORM llama_common_sources PREPEND "${POINTSMAN_LLAMA_SOURCE}/common/")
foreach(file ${llama_common_sources} ${POINTSMAN_LLAMA_SOURCE}/vendor/nlohmann/json.hpp)
  if(NOT EXISTS "${file}")
    pointsman_llama_missing("its source tree lacks ${file} (POINTSMAN_LLAMA_SOURCE=${POINTSMAN_LLAMA_SOURCE})")
  endif()
endforeach()

find_package(llama CONFIG QUIET)
if(llama_FOUND)
  message(STATUS "llama.cpp: installed package in ${llama_DIR}")
elseif(EXISTS "${POINTSMAN_LLAMA_SOURCE}/CMakeLists.txt")
  message(STATUS "llama.cpp: no installed package, built from ${POINTSMAN_LLAMA_SOURCE}")
else()
  pointsman_llama_missing("no `llama` package is in CMAKE_PREFIX_PATH (${CMAKE_PREFIX_PATH}) and ${POINTSMAN_LLAMA_SOURCE} has no CMakeLists.txt")
endif()
add_subdirectory(${CMAKE_SOURCE_DIR}/cmake/llama llama)
