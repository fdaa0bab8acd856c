# A dependency provider, which the presets use: cmake/dependencies.cmake works without it.
# A dependency that is not installed is downloaded as a release or, where that cannot be had, as Debian packages: apt's own
# client gets them from the machine's own mirror into DLAS_PROVIDER_CACHE. Nothing is installed, and no root is needed.
include_guard(GLOBAL)

set(DLAS_PROVIDER_CACHE ${CMAKE_BINARY_DIR}/_packages CACHE PATH "Folder of downloaded dependencies; build trees may share it")
set(dlas_packages_xsimd libxsimd-dev)
set(dlas_packages_Boost libboost-dev)
set(dlas_packages_benchmark libbenchmark-dev)
set(dlas_packages_FlatBuffers libflatbuffers-dev)
set(dlas_packages_doctest doctest-dev)

# Downloads and unpacks the release into DLAS_PROVIDER_CACHE; gives its folder, or nothing.
function(dlas_get_release name url hash result)
    string(REGEX REPLACE "^SHA256=" "" hash "${hash}")
    set(folder ${DLAS_PROVIDER_CACHE}/release/${name}-${hash})
    get_property(unreachable GLOBAL PROPERTY dlas_releases_unreachable)
    if(NOT EXISTS ${folder} AND NOT unreachable)
        # One byte within a few seconds says whether the rest is worth waiting for.
        set(probe ${DLAS_PROVIDER_CACHE}/release/probe)
        file(DOWNLOAD ${url} ${probe} RANGE_END 0 TIMEOUT 5 STATUS status)
        set(bytes 0)
        if(EXISTS ${probe})
            file(SIZE ${probe} bytes)
        endif()
        file(REMOVE ${probe})
        if(bytes EQUAL 0)
            message(STATUS "The release of ${name} cannot be downloaded: ${status}")
            set_property(GLOBAL PROPERTY dlas_releases_unreachable TRUE)
        else()
            message(STATUS "Downloading ${url}")
            file(DOWNLOAD ${url} ${folder}.archive INACTIVITY_TIMEOUT 10 TIMEOUT 300 STATUS status)
            file(SHA256 ${folder}.archive found)
            if(found STREQUAL hash)
                file(ARCHIVE_EXTRACT INPUT ${folder}.archive DESTINATION ${folder}.unpacked)
                file(GLOB top ${folder}.unpacked/*)
                file(RENAME ${top} ${folder})
            else()
                message(STATUS "The release of ${name} is not what was asked for: ${status}")
            endif()
            file(REMOVE_RECURSE ${folder}.archive ${folder}.unpacked)
        endif()
    endif()
    if(EXISTS ${folder})
        set(${result} ${folder} PARENT_SCOPE)
    endif()
endfunction()

# Runs a program of apt, told to keep lists, state and cache in a folder of ours and to run no hook of the system's.
function(dlas_apt program)
    set(apt ${DLAS_PROVIDER_CACHE}/apt)
    file(MAKE_DIRECTORY ${apt}/lists/partial ${apt}/cache/archives/partial)
    file(CONFIGURE OUTPUT ${apt}/apt.conf @ONLY CONTENT [[
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Dir::State "@apt@";
Dir::State::lists "@apt@/lists";
Dir::Cache "@apt@/cache";
Dir::Cache::archives "@apt@/cache/archives";
Dir::Log "@apt@";
]])
    set(ENV{LC_ALL} C)
    execute_process(COMMAND ${program} --config-file=${apt}/apt.conf ${ARGN} WORKING_DIRECTORY ${apt}
        OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(STATUS "${program} failed:\n${output}")
    endif()
    set(apt_status ${status} PARENT_SCOPE)
    set(apt_output "${output}" PARENT_SCOPE)
endfunction()

# Unpacks the dependency's Debian packages into DLAS_PROVIDER_CACHE/debian.
function(dlas_get_debian_packages name)
    find_program(DLAS_APT_GET apt-get)
    mark_as_advanced(DLAS_APT_GET)
    if(NOT DLAS_APT_GET)
        return()
    endif()
    get_property(updated GLOBAL PROPERTY dlas_apt_updated)
    if(NOT updated)
        message(STATUS "Getting the list of Debian packages")
        dlas_apt(apt-get update)
        set_property(GLOBAL PROPERTY dlas_apt_updated TRUE)
    endif()
    # The named package may only lead to those that hold the files: libboost-dev to libboost1.74-dev; newer packages of xsimd need xtl,
    # and that of flatbuffers names its shared library.
    set(package ${dlas_packages_${name}})
    dlas_apt(apt-cache depends ${package})
    string(REGEX MATCHALL "Depends: (libboost[0-9.]+-dev|libbenchmark[0-9][^\n]*|libflatbuffers[0-9][^\n]*|xtl-dev)" needed "${apt_output}")
    list(TRANSFORM needed REPLACE "Depends: " "")
    message(STATUS "Getting the Debian packages ${package} ${needed}")
    dlas_apt(apt-get download ${package} ${needed})
    file(GLOB archives ${DLAS_PROVIDER_CACHE}/apt/*.deb)
    foreach(archive IN LISTS archives)
        execute_process(COMMAND dpkg-deb -x ${archive} ${DLAS_PROVIDER_CACHE}/debian RESULT_VARIABLE status)
        file(REMOVE ${archive})
    endforeach()
    if(archives AND apt_status EQUAL 0 AND status EQUAL 0)
        file(TOUCH ${DLAS_PROVIDER_CACHE}/debian/${name}.done)
    endif()
endfunction()

# Build trees configured at the same time wait for each other.
function(dlas_get_dependency name url hash result)
    file(LOCK ${DLAS_PROVIDER_CACHE}/lock GUARD FUNCTION TIMEOUT 600)
    if(EXISTS ${DLAS_PROVIDER_CACHE}/debian/${name}.done)
        return()
    endif()
    dlas_get_release(${name} ${url} ${hash} folder)
    if(folder)
        set(${result} ${folder} PARENT_SCOPE)
    else()
        dlas_get_debian_packages(${name})
    endif()
endfunction()

# Macros, since what find_package sets belongs to the caller. FetchContent_MakeAvailable calls the provider twice: with the
# address of the release, which is noted, and then to find the package.
macro(dlas_provide method name)
    if(DEFINED dlas_packages_${name} AND "${method}" STREQUAL "FETCHCONTENT_MAKEAVAILABLE_SERIAL")
        cmake_parse_arguments(dlas_release_${name} "" "URL;URL_HASH" "" ${ARGN})
    elseif(DEFINED dlas_release_${name}_URL)
        find_package(${name} ${ARGN} BYPASS_PROVIDER QUIET)
        if(NOT ${name}_FOUND)
            string(TOUPPER ${name} dlas_name)
            dlas_get_dependency(${name} ${dlas_release_${name}_URL} ${dlas_release_${name}_URL_HASH} FETCHCONTENT_SOURCE_DIR_${dlas_name})
            if(NOT FETCHCONTENT_SOURCE_DIR_${dlas_name})
                # Headers serve other architectures, too, though the packages are this one's.
                file(GLOB dlas_folders ${DLAS_PROVIDER_CACHE}/debian/usr/lib/*/cmake)
                set(dlas_prefixes ${CMAKE_PREFIX_PATH})
                list(APPEND CMAKE_PREFIX_PATH ${DLAS_PROVIDER_CACHE}/debian/usr ${dlas_folders})
                find_package(${name} ${ARGN} BYPASS_PROVIDER QUIET)
                set(CMAKE_PREFIX_PATH ${dlas_prefixes})
                if(NOT ${name}_FOUND)
                    message(FATAL_ERROR "${name} is needed. Either install it (Debian: apt-get install ${dlas_packages_${name}}), or let this "
                        "machine reach ${dlas_release_${name}_URL} or a Debian mirror by apt-get, or unpack a release of it and give its folder by "
                        "-D FETCHCONTENT_SOURCE_DIR_${dlas_name}=<folder>.")
                endif()
            endif()
        endif()
    endif()
endmacro()
cmake_language(SET_DEPENDENCY_PROVIDER dlas_provide SUPPORTED_METHODS FETCHCONTENT_MAKEAVAILABLE_SERIAL FIND_PACKAGE)
