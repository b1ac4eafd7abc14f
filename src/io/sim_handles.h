#pragma once

#include "io/sim_world.h"

namespace questlog::io {

/// What the simulated process holds open. A handle of a process that was killed fails, or does nothing.
class SimHandle {
public:
    SimHandle(SimWorld& world, std::string path)
        : world_(world), path_(std::move(path)), generation_(world.generation) {}

protected:
    /// Counts the operation; its error if the process is dead or the operation is the one to fail.
    [[nodiscard]] std::optional<Error> begin(std::string_view action);
    [[nodiscard]] bool dead() const { return world_.generation != generation_ || world_.stopped; }

    SimWorld& world_;
    std::string path_;

private:
    std::uint64_t generation_;
};

class SimFile final : public File, private SimHandle {
public:
    SimFile(SimWorld& world, SimNodePtr node, std::string path)
        : SimHandle(world, std::move(path)), node_(std::move(node)) {}
    ~SimFile() override;
    SimFile(const SimFile&) = delete;
    SimFile& operator=(const SimFile&) = delete;

    Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) override;
    Status write_at(std::int64_t position, std::span<const std::byte> bytes) override;
    Status truncate(std::int64_t size) override;
    Result<bool> reserve(std::int64_t size) override;
    Status sync_data() override;
    Result<std::int64_t> size() override;

    /// Copies the contents to a real file, which lives as long as this handle, and gives its path.
    Result<std::string> materialise();

private:
    SimNodePtr node_;
    std::string real_copy_;
};

/// Eight bytes at the start of a simulated file, in the machine's byte order as in the mapped one.
class SimWord final : public SharedWord, private SimHandle {
public:
    static constexpr std::size_t bytes = sizeof(std::uint64_t);

    SimWord(SimWorld& world, SimNodePtr node, std::string path)
        : SimHandle(world, std::move(path)), node_(std::move(node)) {}

    std::uint64_t load() override;
    void store(std::uint64_t value) override;
    Status sync() override;

private:
    SimNodePtr node_;
};

class SimLock final : public Lock, private SimHandle {
public:
    SimLock(SimWorld& world, std::string path, int slot, Files::Share share)
        : SimHandle(world, std::move(path)), slot_(slot), share_(share) {}
    ~SimLock() override;
    SimLock(const SimLock&) = delete;
    SimLock& operator=(const SimLock&) = delete;

private:
    int slot_;
    Files::Share share_;
};

} // namespace questlog::io
