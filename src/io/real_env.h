#pragma once

#include "io/real_clock.h"
#include "io/real_files.h"

namespace questlog::io {

/// The machine as it is. main() makes one and hands env() to everything; it must outlive what holds it.
class RealEnv {
public:
    RealEnv() : files_(clock_) {}

    [[nodiscard]] Env env() { return Env{clock_, files_, entropy_}; }

private:
    RealClock clock_;
    RealFiles files_;
    RealEntropy entropy_;
};

} // namespace questlog::io
