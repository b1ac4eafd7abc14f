#include "io/lock_error.h"
#include "io/sim_handles.h"
#include "io/system_error.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace questlog::io {

namespace {

/// The simulated file system. Every operation takes the world's mutex, counts itself, and may be the one to fail.
class SimFiles final : public Files {
public:
    explicit SimFiles(SimWorld& world) : world_(world) {}

    Result<std::unique_ptr<File>> open(const std::string& path, Open mode) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_opening("open", path)) return *fault;
        TRY(node, world_.open(path, mode));
        return std::unique_ptr<File>(std::make_unique<SimFile>(world_, std::move(node), path));
    }

    Status make_directories(const std::string& path) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("make the directory", path)) return *fault;
        SimNodePtr node = world_.root;
        for (const auto& part : path_parts(path)) {
            auto& entry = node->entries[part];
            if (!entry) {
                node->entries.erase(part);
                if (world_.disk_full) return world_.no_space("make the directory", path);
                auto made = std::make_shared<SimNode>();
                made->is_directory = true;
                made->modified = world_.wall();
                node->change_entries({{part, made}});
                node->sync();
                node = made;
                continue;
            }
            if (!entry->is_directory) return system_error(ENOTDIR, "make the directory", path);
            node = entry;
        }
        return {};
    }

    Status rename(const std::string& from, const std::string& to) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("rename " + from + " to", to)) return *fault;
        const auto node = world_.find(from);
        const auto target = world_.place_of(to);
        if (!node || !target.directory) return system_error(ENOENT, "rename " + from + " to", to);
        if (const auto there = target.directory->entries.find(target.name); there != target.directory->entries.end())
            if (there->second->is_directory && !(node->is_directory && there->second->entries.empty()))
                return system_error(node->is_directory ? ENOTEMPTY : EISDIR, "rename " + from + " to", to);
        move(world_.place_of(from), target, node, nullptr);
        return {};
    }

    Result<bool> rename_new(const std::string& from, const std::string& to) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("rename " + from + " to", to)) return *fault;
        const auto node = world_.find(from);
        const auto target = world_.place_of(to);
        if (!node || !target.directory) return system_error(ENOENT, "rename " + from + " to", to);
        if (target.directory->entries.contains(target.name)) return false;
        move(world_.place_of(from), target, node, nullptr);
        return true;
    }

    Status exchange(const std::string& one, const std::string& other) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("exchange " + one + " and", other)) return *fault;
        const auto first = world_.find(one);
        const auto second = world_.find(other);
        if (!first || !second) return system_error(ENOENT, "exchange " + one + " and", other);
        move(world_.place_of(one), world_.place_of(other), first, second);
        return {};
    }

    Status remove_file(const std::string& path) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("remove", path)) return *fault;
        const auto node = world_.find(path);
        if (!node) return {};
        if (node->is_directory) return system_error(EISDIR, "remove", path);
        const auto place = world_.place_of(path);
        place.directory->change_entries({{place.name, nullptr}});
        return {};
    }

    Status remove_tree(const std::string& path) override {
        if (is_scratch(path)) {
            std::error_code error;
            std::filesystem::remove_all(path, error);
            return error ? Status(system_error(error.value(), "remove the directory", path)) : Status();
        }
        const std::lock_guard lock(world_.mutex);
        const bool ignored = world_.stopped;
        const auto fault = world_.begin_operation("remove the directory", path);
        if (ignored) return *fault;
        const auto place = world_.place_of(path);
        const bool is_there = place.directory && place.directory->entries.contains(place.name);
        if (is_there) remove_below(*place.directory->entries.at(place.name), fault.has_value());
        if (fault) return *fault;
        if (is_there) place.directory->change_entries({{place.name, nullptr}});
        return {};
    }

    Status sync_directory(const std::string& path) override {
        const std::lock_guard lock(world_.mutex);
        const bool ignored = world_.stopped;
        auto fault = world_.begin_opening("sync the directory", path);
        if (ignored || (fault && fault->system_errno == EMFILE)) return *fault;
        if (fault) fault->kind = ErrorKind::internal;
        const auto node = world_.find(path);
        if (!node || !node->is_directory) return system_error(ENOENT, "open the directory", path);
        return world_.end_sync(*node, fault);
    }

    Result<std::vector<Entry>> list(const std::string& path) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_opening("list", path)) return *fault;
        const auto node = world_.find(path);
        if (!node || !node->is_directory) return system_error(ENOENT, "list", path);
        std::vector<Entry> entries;
        for (const auto& [name, entry] : node->entries)
            entries.push_back({name, entry->is_directory ? Kind::directory : Kind::file});
        return entries;
    }

    Result<Stat> stat(const std::string& path) override {
        if (is_scratch(path)) return Stat{std::filesystem::is_directory(path) ? Kind::directory : Kind::missing, 0, {}};
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("look at", path)) return *fault;
        const auto node = world_.find(path);
        if (!node) return Stat{};
        if (node->is_directory) return Stat{Kind::directory, 0, node->modified};
        return Stat{Kind::file, node->now.size(), node->modified};
    }

    Result<std::int64_t> free_bytes(const std::string& path) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("ask for the free space of", path)) return *fault;
        if (!world_.find(path)) return system_error(ENOENT, "ask for the free space of", path);
        return world_.free_bytes();
    }

    Result<std::unique_ptr<SharedWord>> map_word(const std::string& path, Open mode) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_opening("map", path)) return *fault;
        TRY(node, world_.open(path, mode));
        const bool may_make = mode == Open::create || mode == Open::create_new;
        if (node->now.size() == 0 && may_make)
            node->write(0, std::as_bytes(std::span("\0\0\0\0\0\0\0", SimWord::bytes)));
        if (node->now.size() < static_cast<std::int64_t>(SimWord::bytes))
            return corrupt("{} is {} bytes long and must have {}", path, node->now.size(), SimWord::bytes);
        return std::unique_ptr<SharedWord>(std::make_unique<SimWord>(world_, std::move(node), path));
    }

    Result<std::unique_ptr<Lock>> lock(const std::string& path, int slot, Share share,
                                       std::chrono::milliseconds wait) override {
        {
            const std::lock_guard guard(world_.mutex);
            if (auto fault = world_.begin_opening("lock", path)) return *fault;
            CHECK_OK(world_.open(path, Open::create));
            auto& held = world_.locks[{path, slot}];
            const bool exclusive = share == Share::exclusive;
            if (!held.exclusive && (!exclusive || held.shared == 0)) {
                if (exclusive)
                    held.exclusive = true;
                else
                    ++held.shared;
                return std::unique_ptr<Lock>(std::make_unique<SimLock>(world_, path, slot, share));
            }
        }
        world_.clock->sleep(wait); // whoever holds it is on this thread, and cannot let it go meanwhile
        return held_by_another(retry_later("{} is locked by another process; stop that process or wait for it", path));
    }

    Result<bool> locked(const std::string& path, int slot) override {
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("look at the lock", path)) return *fault;
        const auto held = world_.locks.find({path, slot});
        return held != world_.locks.end() && held->second.exclusive;
    }

    Result<std::string> scratch_directory(const std::string& near) override {
        CHECK_OK(make_directories(near));
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("make a scratch directory in", near)) return *fault;
        return world_.make_scratch();
    }

    Status adopt(const std::string& scratch_path, const std::string& path) override {
        std::ifstream file(scratch_path, std::ios::binary);
        if (!file) return system_error(ENOENT, "open", scratch_path);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        const std::lock_guard lock(world_.mutex);
        if (auto fault = world_.begin_operation("rename " + scratch_path + " to", path)) return *fault;
        const auto place = world_.place_of(path);
        if (!place.directory) return system_error(ENOENT, "rename " + scratch_path + " to", path);
        if (static_cast<std::int64_t>(bytes.size()) > world_.free_bytes()) return world_.no_space("write", path);
        auto node = std::make_shared<SimNode>();
        node->modified = world_.wall();
        node->write(0, std::as_bytes(std::span(bytes)));
        place.directory->change_entries({{place.name, node}});
        std::error_code ignored; // a leftover in the scratch directory, which goes as a whole
        std::filesystem::remove(scratch_path, ignored);
        return {};
    }

    Result<std::string> library_path(File& file) override {
        auto* simulated = dynamic_cast<SimFile*>(&file);
        if (simulated == nullptr) return internal("a file of another world has no path in this one");
        return simulated->materialise();
    }

    Result<LibraryPath> library_path_of(const std::string& path) override {
        TRY(file, open(path, Open::read));
        TRY(real_path, library_path(*file));
        return LibraryPath{std::move(real_path), std::move(file)};
    }

private:
    /// Entry by entry, as file systems do it: a power cut may find any part of them gone. `cut_off`: so may we.
    void remove_below(SimNode& node, bool cut_off) {
        const std::map<std::string, SimNodePtr> entries = node.entries;
        for (const auto& [name, entry] : entries) {
            if (cut_off && world_.random() % 2 == 0) continue;
            remove_below(*entry, cut_off);
            if (entry->entries.empty()) node.change_entries({{name, nullptr}});
        }
    }

    /// Moves `node` to `to`; `swapped` (null: nothing) takes its old place.
    static void move(const SimWorld::Place& from, const SimWorld::Place& to, const SimNodePtr& node,
                     const SimNodePtr& swapped) {
        if (from.directory == to.directory) {
            from.directory->change_entries({{from.name, swapped}, {to.name, node}});
            return;
        }
        from.directory->change_entries({{from.name, swapped}});
        to.directory->change_entries({{to.name, node}});
    }

    [[nodiscard]] bool is_scratch(const std::string& path) const {
        const std::lock_guard lock(world_.mutex);
        return !world_.scratch_root.empty() && path.starts_with(world_.scratch_root);
    }

    SimWorld& world_;
};

} // namespace

std::unique_ptr<Files> make_sim_files(SimWorld& world) {
    return std::make_unique<SimFiles>(world);
}

} // namespace questlog::io
