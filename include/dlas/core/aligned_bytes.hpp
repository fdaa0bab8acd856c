// Memory for weights and arenas on a host. Core; hosted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace dlas {

/// Bytes on the heap, aligned to 64. Large ones ask for huge pages: a network reads its weights once a run, and every 4 KB page
/// would cost a walk of the page table.
class aligned_bytes {
public:
    explicit aligned_bytes(std::int64_t size) : data_(allocate(static_cast<std::size_t>(size)), deleter{alignment(static_cast<std::size_t>(size))}) {}
    std::byte* data() const { return data_.get(); }

private:
    static constexpr std::size_t huge_page = std::size_t{2} << 20;

    static std::align_val_t alignment(std::size_t size) { return std::align_val_t{size >= huge_page ? huge_page : 64}; }
    static std::byte* allocate(std::size_t size) {
        size = std::max<std::size_t>(size, 64);
        if (size >= huge_page) size = (size + huge_page - 1) / huge_page * huge_page;  // the tail lies in one, too
        auto* bytes = static_cast<std::byte*>(::operator new[](size, alignment(size)));
#if defined(__linux__)
        if (size >= huge_page) (void)madvise(bytes, size, MADV_HUGEPAGE);  // a wish: failing costs nothing
#endif
        return bytes;
    }

    struct deleter {
        std::align_val_t alignment;
        void operator()(std::byte* bytes) const { ::operator delete[](bytes, alignment); }
    };
    std::unique_ptr<std::byte[], deleter> data_;
};

}  // namespace dlas
