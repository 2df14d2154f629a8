# The embedded engine's library, as the target pointsman_llama. Three ways to llama.cpp:
#   1. the prefix that scripts/bootstrap built (build/deps/llama), or any installed `llama` CMake package: CMAKE_PREFIX_PATH
#   2. -DPOINTSMAN_LLAMA_SOURCE=DIR: a source tree, built with us
# Chat templates and JSON schemas need a few files of llama.cpp's `common`, which no package installs: they come from
# POINTSMAN_LLAMA_SOURCE, by default the tree that scripts/bootstrap unpacked.
message(FATAL_ERROR "cmake/llama.cmake is not written yet")
