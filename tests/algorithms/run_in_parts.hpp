// A kernel run by several threads, as a thread pool runs it. For the kernels' tests.
#pragma once

#include <barrier>
#include <thread>
#include <vector>

#include <dlas/algorithms/kernel.hpp>

/// Waits for a number of threads, as often as they come.
class meeting_point {
public:
    explicit meeting_point(int count) : barrier_(count) {}
    static void wait(void* self) { static_cast<meeting_point*>(self)->barrier_.arrive_and_wait(); }

private:
    std::barrier<> barrier_;
};

/// Several threads run one kernel together.
inline void run_in_parts(void (*run_kernel)(const dlas::kernel_arguments&), const dlas::kernel_arguments& arguments, int parts) {
    meeting_point all(parts);
    std::vector<std::thread> others;
    auto run = [&](int part) {
        dlas::kernel_arguments own = arguments;
        own.part = part;
        own.parts = parts;
        own.wait = &meeting_point::wait;
        own.barrier = &all;
        run_kernel(own);
    };
    for (int part = 1; part < parts; ++part) others.emplace_back(run, part);
    run(0);
    for (std::thread& other : others) other.join();
}
