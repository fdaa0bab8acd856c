// Threads that run a network's steps together. Systems Software; hosted.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <dlas/core/error.hpp>
#include <dlas/systems/executable.hpp>

namespace dlas {

/// Runs networks whose stack has threads<N>: each step's tiles are shared in the same way every time, and all threads meet after
/// each step. Waiting threads spin for some hundred microseconds, then sleep. Nothing is allocated after construction.
class thread_pool {
public:
    /// `count` threads, the caller of run() included. Throws std::system_error where the system has no more threads.
    explicit thread_pool(int count) : count_(count), steps_(count), inside_(count) {
        if (count < 1) throw error("a thread pool needs at least one thread, got " + std::to_string(count));
        workers_.reserve(static_cast<std::size_t>(count - 1));
        try {
            for (int part = 1; part < count; ++part) workers_.emplace_back([this, part] { work(part); });
        } catch (...) {
            stop();
            throw;
        }
    }
    thread_pool(const thread_pool&) = delete;
    thread_pool& operator=(const thread_pool&) = delete;
    ~thread_pool() { stop(); }

    int count() const { return count_; }

    /// As dlas::run_steps(), by all threads. Throws dlas::error where the network's workspace is not made for as many.
    const std::byte* run_steps(const executable& code, const void* image, const std::byte* weights, std::byte* arena) {
        if (count_ > code.threads)
            throw error("the network '" + std::string(code.model) + "' was compiled for " + std::to_string(code.threads) + " threads, the pool has " +
                        std::to_string(count_));
        job_ = {&code, image, weights, arena};
        begin();
        run_part(0);
        return arena + code.output_offset;
    }
    const float* run(const executable& code, const float* image, const std::byte* weights, std::byte* arena) {
        if (code.image_type != element::f32 || code.output_type != element::f32)
            throw error("the network '" + std::string(code.model) + "' has an image or an output of integers, not of floats");
        return reinterpret_cast<const float*>(run_steps(code, image, weights, arena));
    }

private:
    static void relax() {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    /// Spins, then sleeps, until `value` is no longer `old`.
    static void await(const std::atomic<unsigned>& value, unsigned old) {
        for (int spin = 0; spin < 10000; ++spin) {
            if (value.load(std::memory_order_acquire) != old) return;
            relax();
        }
        while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
    }

    class barrier {
    public:
        explicit barrier(int count) : count_(count) {}
        void meet() {
            const unsigned phase = phase_.load(std::memory_order_relaxed);
            if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
                arrived_.store(0, std::memory_order_relaxed);
                phase_.store(phase + 1, std::memory_order_release);
                phase_.notify_all();
            } else {
                await(phase_, phase);
            }
        }
        static void wait(void* self) { static_cast<barrier*>(self)->meet(); }

    private:
        alignas(64) std::atomic<int> arrived_ = 0;
        alignas(64) std::atomic<unsigned> phase_ = 0;
        int count_;
    };

    struct job {
        const executable* code = nullptr;
        const void* image = nullptr;
        const std::byte* weights = nullptr;
        std::byte* arena = nullptr;
    };

    void stop() {
        stopping_ = true;
        begin();
        for (std::thread& worker : workers_) worker.join();
    }

    void begin() {
        jobs_.fetch_add(1, std::memory_order_release);
        jobs_.notify_all();
    }

    void work(int part) {
        for (unsigned seen = 0;; ++seen) {
            await(jobs_, seen);
            if (stopping_) return;
            run_part(part);
        }
    }

    void run_part(int part) {
        for (const executable_step& step : job_.code->steps) {
            if (step.run == nullptr) continue;
            if (part == 0) fill_halo(step, job_.weights, job_.arena);  // which no kernel of the step touches
            kernel_arguments arguments = arguments_of(step, job_.image, job_.weights, job_.arena);
            arguments.part = part;
            arguments.parts = count_;
            arguments.wait = &barrier::wait;
            arguments.barrier = &inside_;
            step.run(arguments);
            steps_.meet();
        }
    }

    int count_;
    barrier steps_, inside_;
    job job_;
    bool stopping_ = false;
    alignas(64) std::atomic<unsigned> jobs_ = 0;
    std::vector<std::thread> workers_;
};

/// The threads that a network was compiled for; none where it is one.
inline std::unique_ptr<thread_pool> threads_for(const executable& code) {
    return code.threads > 1 ? std::make_unique<thread_pool>(code.threads) : nullptr;
}

/// As run_steps(code, image, weights, arena), by `threads` where there are any.
inline const std::byte* run_steps(const executable& code, const void* image, const std::byte* weights, std::byte* arena, thread_pool* threads) {
    return threads != nullptr ? threads->run_steps(code, image, weights, arena) : run_steps(code, image, weights, arena);
}
inline const float* run(const executable& code, const float* image, const std::byte* weights, std::byte* arena, thread_pool* threads) {
    return threads != nullptr ? threads->run(code, image, weights, arena) : run(code, image, weights, arena);
}

}  // namespace dlas
