// What a call throws. For tests of errors.
#pragma once

#include <string>

#include <dlas/core/error.hpp>

/// What a call throws as dlas::error; empty where it returns.
template <class Call>
std::string message_of(Call call) {
    try {
        call();
    } catch (const dlas::error& e) { return e.what(); }
    return "";
}
