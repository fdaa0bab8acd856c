// dlas::tflite brings the headers of flatbuffers.
#include <dlas/systems/tflite.hpp>

std::string complaint_about_nothing() {
    try {
        dlas::tflite_file::parse({}, "nothing");
        return {};
    } catch (const dlas::error& error) { return error.what(); }
}
