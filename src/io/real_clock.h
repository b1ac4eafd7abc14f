#pragma once

#include "io/env.h"

namespace questlog::io {

/// The machine's clocks.
class RealClock final : public Clock {
public:
    TimestampMs wall_ms() override;
    std::chrono::nanoseconds monotonic() override;
    void sleep(std::chrono::milliseconds duration) override;
};

/// The kernel's random numbers.
class RealEntropy final : public Entropy {
public:
    void fill(std::span<std::byte> bytes) override;
};

} // namespace questlog::io
