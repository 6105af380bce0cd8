# Included by the engine build after project(llama.cpp). The Python binding's CMakeLists
# switches the helper library on, which nothing here uses and which is half of the build.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "" FORCE)
