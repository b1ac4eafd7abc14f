#include "lake/generations.h"

#include "lake/snapshot.h"
#include "lake/table_path.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <span>

namespace questlog::lake {
namespace {

/// When a generation was retired, from its folder's name; 0 where the name is none of ours.
TimestampMs retired_at(const std::string& name) {
    std::int64_t ms = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), ms);
    return TimestampMs{parsed.ec == std::errc{} ? ms : 0};
}

std::string base_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

} // namespace

std::string random_uuid(io::Entropy& entropy) {
    std::array<std::byte, 16> bytes{};
    entropy.fill(bytes);
    bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x40};
    bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        fmt::format_to(std::back_inserter(text), "{:02x}", std::to_integer<unsigned>(bytes[i]));
    }
    return text;
}

std::string Generations::staging_of(const std::string& root, const std::string& path) {
    return root + "/.staging/" + escaped_table_path(path);
}

Generations::Generations(io::Env env, const std::string& root, const std::string& path)
    : env_(env), folder_(root + "/" + path), parent_(folder_.substr(0, folder_.rfind('/'))),
      staging_(staging_of(root, path)), retired_(root + "/.retired/" + escaped_table_path(path)) {}

std::string Generations::lock_file(const std::string& root, const std::string& escaped) {
    return root + "/.locks/" + escaped + ".lock";
}

Status Generations::recover() {
    CHECK_OK(env_.files.make_directories(parent_));
    CHECK_OK(env_.files.make_directories(staging_));
    CHECK_OK(env_.files.make_directories(retired_));
    TRY(table, env_.files.stat(folder_));
    TRY(leftovers, env_.files.list(staging_));
    if (leftovers.empty()) return {};

    if (table.kind == io::Kind::missing) CHECK_OK(put_back(leftovers));
    // A swap that the crashed writer made may not be durable yet, and then what looks like a leftover is, on disk, the
    // table: nothing may be deleted before the swap is.
    CHECK_OK(env_.files.sync_directory(parent_));
    CHECK_OK(env_.files.sync_directory(staging_));
    for (const io::Entry& entry : leftovers) CHECK_OK(env_.files.remove_tree(staging_ + "/" + entry.name));
    return {};
}

Result<std::string> place_in_swap(io::Files& files, const std::string& folder,
                                  const std::function<Result<std::string>()>& find_aside) {
    TRY(present, files.stat(folder));
    if (present.kind != io::Kind::missing) return folder;
    TRY(aside, find_aside());
    if (!aside.empty()) return aside;
    TRY(now, files.stat(folder)); // the swap may have ended between the two looks
    return now.kind == io::Kind::missing ? std::string() : folder;
}

Result<std::string> Generations::place_of(io::Files& files, const std::string& root, const std::string& path) {
    const std::string staging = staging_of(root, path);
    return place_in_swap(files, root + "/" + path, [&]() -> Result<std::string> {
        const auto staged = files.list(staging);
        if (!staged.ok() && staged.error().system_errno == ENOENT) return std::string(); // nobody has ever written it
        if (!staged.ok()) return staged.error();
        const std::string old = set_aside(*staged);
        return old.empty() ? std::string() : staging + "/" + old;
    });
}

/// The name in staging of the generation that a swap by renames is about to replace. Empty: there is no such swap.
std::string Generations::set_aside(const std::vector<io::Entry>& staged) {
    for (const io::Entry& entry : staged) {
        if (!entry.name.ends_with(io::exchange_aside_suffix)) continue;
        const std::string old = entry.name.substr(0, entry.name.size() - io::exchange_aside_suffix.size());
        const auto is_old = [&](const io::Entry& other) {
            return other.name == old && other.kind == io::Kind::directory;
        };
        if (std::any_of(staged.begin(), staged.end(), is_old)) return old;
    }
    return {};
}

/// A swap by renames that was cut off while the table was missing: the old generation has the new one's place.
Status Generations::put_back(const std::vector<io::Entry>& leftovers) {
    const std::string old = set_aside(leftovers);
    return old.empty() ? Status() : env_.files.rename(staging_ + "/" + old, folder_);
}

Result<std::string> Generations::stage(const std::string& scratch_file, const std::string& uuid,
                                       const std::string& name) {
    std::string staged = staging_ + "/" + uuid;
    if (const auto filled = fill(staged, scratch_file, name); !filled.ok()) {
        static_cast<void>(
            env_.files.remove_tree(staged)); // The error that matters is the first; recover() tries again.
        return filled.error();
    }
    return staged;
}

Status Generations::fill(const std::string& staged, const std::string& scratch_file, const std::string& name) {
    CHECK_OK(env_.files.make_directories(staged));
    const std::string data = staged + "/" + name;
    CHECK_OK(env_.files.adopt(scratch_file, data));
    TRY(file, env_.files.open(data, io::Open::write));
    CHECK_OK(file->sync_data());
    return complete(staged);
}

Result<std::string> Generations::stage_files(const std::string& folder, const std::string& uuid,
                                             const std::vector<Move>& moves, const std::string& facts) {
    std::string staged = staging_ + "/" + uuid;
    if (const auto filled = fill_with_files(staged, folder, moves, facts); !filled.ok()) {
        static_cast<void>(env_.files.remove_tree(staged)); // as in stage()
        return filled.error();
    }
    return staged;
}

Status Generations::fill_with_files(const std::string& staged, const std::string& folder,
                                    const std::vector<Move>& moves, const std::string& facts) {
    CHECK_OK(env_.files.make_directories(staged));
    for (const Move& move : moves) CHECK_OK(env_.files.rename(folder + "/" + move.from, staged + "/" + move.to));
    TRY(file, env_.files.open(staged + "/" + std::string(facts_file_name), io::Open::create_new));
    CHECK_OK(file->write_at(0, std::as_bytes(std::span(facts))));
    CHECK_OK(file->sync_data());
    CHECK_OK(complete(staged));
    return env_.files.remove_tree(folder);
}

/// The mark of a whole generation, durable with all that is there.
Status Generations::complete(const std::string& staged) {
    TRY(success, env_.files.open(staged + "/" + std::string(success_name), io::Open::create_new));
    CHECK_OK(success->sync_data());
    CHECK_OK(env_.files.sync_directory(staged));
    return env_.files.sync_directory(staging_);
}

Status Generations::swap_in(const std::string& staged) {
    // A failed exchange may have happened all the same: `staged` is left to recover(), which syncs before it deletes.
    CHECK_OK(put_in_place(staged));
    for (const std::string& directory : {parent_, staging_})
        if (const auto synced = env_.files.sync_directory(directory); !synced.ok())
            return synced.error().within(
                "the new table is in place, but not known to survive a power cut; write it again");
    return {};
}

Status Generations::put_in_place(const std::string& staged) {
    TRY(present, env_.files.stat(folder_));
    if (present.kind == io::Kind::missing) return env_.files.rename(staged, folder_);
    return env_.files.exchange(folder_, staged);
}

void Generations::retire(const std::string& staged) {
    const auto old = env_.files.stat(staged);
    if (!old.ok()) return;
    if (old->kind == io::Kind::directory)
        static_cast<void>(
            env_.files.rename(staged, fmt::format("{}/{:013}-{}", retired_, env_.clock.wall_ms(), base_name(staged))));
    static_cast<void>(sweep());
}

Status Generations::sweep() {
    return sweep_folder(env_, retired_);
}

Status Generations::sweep_folder(io::Env env, const std::string& retired) {
    TRY(entries, env.files.list(retired));
    const std::int64_t now = env.clock.wall_ms().value;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::int64_t age_ms = now - retired_at(entries[i].name).value;
        const bool in_grace = age_ms > -limits::retired_grace.count() && age_ms < limits::retired_grace.count();
        const bool among_newest = entries.size() - i <= limits::retired_generations_max;
        if (!in_grace || !among_newest) CHECK_OK(env.files.remove_tree(retired + "/" + entries[i].name));
    }
    return {};
}

} // namespace questlog::lake
