# What the library uses: the system's package where there is one, else a pinned release.
# Each archive's hash is fixed; to use sources of your own, set FETCHCONTENT_SOURCE_DIR_<NAME>.
include(FetchContent)

# xsimd and Google Benchmark declare only releases of one major number compatible, so xsimd's number is checked by hand.
macro(dlas_use_xsimd)
    FetchContent_Declare(xsimd SYSTEM
        URL https://github.com/xtensor-stack/xsimd/archive/refs/tags/13.0.0.tar.gz
        URL_HASH SHA256=8bdbbad0c3e7afa38d88d0d484d70a1671a1d8aefff03f4223ab2eb6a41110a3
        DOWNLOAD_EXTRACT_TIMESTAMP ON
        FIND_PACKAGE_ARGS CONFIG GLOBAL)
    FetchContent_MakeAvailable(xsimd)
    if(xsimd_VERSION AND xsimd_VERSION VERSION_LESS 8.1)
        message(FATAL_ERROR "dlas needs xsimd 8.1 or newer, ${xsimd_DIR} is ${xsimd_VERSION}. "
            "Give a newer one by xsimd_DIR, or CMAKE_DISABLE_FIND_PACKAGE_xsimd=ON to have a release downloaded.")
    endif()
    include(${PROJECT_SOURCE_DIR}/cmake/xsimd_without_xtl.cmake)
endmacro()

# Boost is used for Hana alone, which stands on its own: its release is a small part of Boost's.
macro(dlas_use_hana)
    FetchContent_Declare(Boost
        URL https://github.com/boostorg/hana/archive/refs/tags/boost-1.83.0.tar.gz
        URL_HASH SHA256=59228c744bb22e9011bd6d8173585d8749801a60281c92929a87bbbb8d721b49
        DOWNLOAD_EXTRACT_TIMESTAMP ON
        SOURCE_SUBDIR headers-only
        FIND_PACKAGE_ARGS 1.74 GLOBAL)
    FetchContent_MakeAvailable(Boost)
    if(NOT TARGET Boost::headers)
        add_library(Boost::headers INTERFACE IMPORTED GLOBAL)
        target_include_directories(Boost::headers INTERFACE ${boost_SOURCE_DIR}/include)
    endif()
endmacro()

macro(dlas_use_benchmark)
    set(BENCHMARK_ENABLE_TESTING OFF)
    set(BENCHMARK_ENABLE_WERROR OFF)
    set(BENCHMARK_INSTALL_DOCS OFF)
    FetchContent_Declare(benchmark SYSTEM
        URL https://github.com/google/benchmark/archive/refs/tags/v1.9.1.tar.gz
        URL_HASH SHA256=32131c08ee31eeff2c8968d7e874f3cb648034377dfc32a4c377fa8796d84981
        DOWNLOAD_EXTRACT_TIMESTAMP ON
        FIND_PACKAGE_ARGS 1.7 CONFIG GLOBAL)
    FetchContent_MakeAvailable(benchmark)
endmacro()

# Headers alone: a model file is verified and read by them, and nothing of the library is linked.
# Older packages have the project's name in capitals.
macro(dlas_use_flatbuffers)
    FetchContent_Declare(FlatBuffers
        URL https://github.com/google/flatbuffers/archive/refs/tags/v24.3.25.tar.gz
        URL_HASH SHA256=4157c5cacdb59737c5d627e47ac26b140e9ee28b1102f812b36068aab728c1ed
        DOWNLOAD_EXTRACT_TIMESTAMP ON
        SOURCE_SUBDIR headers-only
        FIND_PACKAGE_ARGS NAMES FlatBuffers flatbuffers CONFIG GLOBAL)
    FetchContent_MakeAvailable(FlatBuffers)
    if(NOT TARGET flatbuffers::flatbuffers)
        add_library(flatbuffers::flatbuffers INTERFACE IMPORTED GLOBAL)
        target_include_directories(flatbuffers::flatbuffers INTERFACE ${flatbuffers_SOURCE_DIR}/include)
    endif()
endmacro()

macro(dlas_use_doctest)
    FetchContent_Declare(doctest
        URL https://github.com/doctest/doctest/archive/refs/tags/v2.4.11.tar.gz
        URL_HASH SHA256=632ed2c05a7f53fa961381497bf8069093f0d6628c5f26286161fbd32a560186
        DOWNLOAD_EXTRACT_TIMESTAMP ON
        SOURCE_SUBDIR headers-only
        FIND_PACKAGE_ARGS 2.4.9 CONFIG GLOBAL)
    FetchContent_MakeAvailable(doctest)
    if(NOT TARGET doctest::doctest)
        add_library(doctest::doctest INTERFACE IMPORTED GLOBAL)
        target_include_directories(doctest::doctest INTERFACE ${doctest_SOURCE_DIR})
    endif()
endmacro()

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Generic")
    dlas_use_xsimd()
endif()
if(DLAS_EXPLORE)
    dlas_use_hana()
    dlas_use_benchmark()
endif()
if(DLAS_TFLITE)
    dlas_use_flatbuffers()
endif()
if(DLAS_TESTS)
    dlas_use_doctest()
endif()
