# Everything Gatehouse links, from distribution packages alone (deploy/packages lists them).
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG)
find_package(OpenSSL 3.0 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(LIBPQ REQUIRED libpq)

# Asio and Boost.JSON are compiled once, each in one file of ours.
add_library(gatehouse_boost INTERFACE)
target_link_libraries(gatehouse_boost INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(gatehouse_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ALL_NO_LIB
  # Coroutine frames come back from a per-thread cache; the path of one request needs more than Asio's two slots.
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16
  # Those that do not fit in it come from operator new: glibc's aligned_alloc() has no cache of its own.
  BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC BOOST_ASIO_DISABLE_BOOST_ALIGN)

# yaml-cpp 0.7 names its target without a namespace, 0.8 with one.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

# Debian 13 has libllhttp-dev; Debian 12 installs the C sources of the same parser with node-llhttp.
find_package(llhttp QUIET)
if(TARGET llhttp::llhttp_shared)
  add_library(gatehouse_llhttp ALIAS llhttp::llhttp_shared)
elseif(TARGET llhttp::llhttp)
  add_library(gatehouse_llhttp ALIAS llhttp::llhttp)
else()
  find_path(LLHTTP_SOURCES llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
  find_path(LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
  if(NOT LLHTTP_SOURCES OR NOT LLHTTP_INCLUDE)
    message(FATAL_ERROR "llhttp not found: install libllhttp-dev (Debian 13) or node-llhttp (Debian 12)")
  endif()
  add_library(gatehouse_llhttp STATIC ${LLHTTP_SOURCES}/api.c ${LLHTTP_SOURCES}/http.c ${LLHTTP_SOURCES}/llhttp.c)
  target_include_directories(gatehouse_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE})
endif()
