#include "log/segment_check.h"

#include "log/log_files.h"
#include "log/log_start.h"
#include "log/segment_walk.h"

namespace questlog::log {

namespace {

Result<std::shared_ptr<io::File>> open_segment(io::Files& files, const std::string& path) {
    auto opened = files.open(path, io::Open::read);
    if (opened.ok()) return std::shared_ptr<io::File>(std::move(*opened));
    if (opened.error().kind != ErrorKind::reject) return opened.error();
    return corrupt("{}, and it is a part of the log; {}", opened.error().message, damage_advice);
}

Status check_beginning(const std::shared_ptr<io::File>& file, const std::string& path, Offset base) {
    FileWindow window(batch_header_bytes);
    window.attach(file);
    TRY(look, look_at_header(window, 0, base));
    if (look.what == Look::What::batch) return {};
    return corrupt("{} is damaged at byte 0 (offset {}): {}; {}", path, base,
                   look.what == Look::What::end_of_file ? "the file ends here" : look.fault, damage_advice);
}

/// Whether the segment at `path` ends where the next one, which begins at `next`, needs it to.
Status check_end(io::File& file, const std::string& directory, const std::string& path, Offset next) {
    TRY(bytes, file.size());
    TRY(last, find_last_batch(file, next));
    if (!last)
        return corrupt("{} is damaged: no whole batch ends where it ends, at byte {}; {}", path, bytes, damage_advice);
    const Offset end = last->end_offset();
    if (end < next)
        return corrupt("{} is missing: {} ends at offset {}, and the next segment begins at {}; {}",
                       segment_file(directory, end), path, end, next, damage_advice);
    if (end > next)
        return corrupt("{} ends at offset {}, and the next segment begins at {}: they are not of the same log; {}",
                       path, end, next, damage_advice);
    return {};
}

/// `end_before`: the durable end before the segments were listed; `durable_end`: after that.
Status check_all(io::Files& files, const std::string& directory, const std::vector<Offset>& bases, Offset end_before,
                 Offset durable_end) {
    if (bases.empty()) {
        if (end_before.value == 0) return {};
        return corrupt("{} has no segment, and events up to offset {} were acknowledged; {}", directory, end_before,
                       damage_advice);
    }
    for (std::size_t i = 0; i < bases.size(); ++i) {
        const bool last = i + 1 == bases.size();
        const auto path = segment_file(directory, bases[i]);
        if (last && durable_end == bases[i]) continue; // it may hold nothing yet
        if (last && durable_end < bases[i])
            return corrupt("{} begins at offset {} and the durable end is {}: they are not of the same moment; {}",
                           path, bases[i], durable_end, damage_advice);
        TRY(file, open_segment(files, path));
        CHECK_OK(check_beginning(file, path, bases[i]));
        if (!last) CHECK_OK(check_end(*file, directory, path, bases[i + 1]));
    }
    return {};
}

} // namespace

Status check_segments(io::Env env, const Topics& topics, const Topic& topic, Partition partition,
                      const std::function<Result<Offset>()>& ask_durable_end) {
    const auto directory = partition_directory(topics.directory(), topic.name, partition);
    while (true) {
        TRY(end_before, ask_durable_end());
        TRY(segments, list_segments(env.files, directory));
        TRY(durable_end, ask_durable_end()); // it was at the last one's beginning before that one got its name
        Status checked = check_all(env.files, directory, segments.bases, end_before, durable_end);
        if (checked.ok()) return {};
        TRY(start, read_log_start(env.files, directory));
        if (start == segments.start) return checked; // else retention may have taken what was looked at
    }
}

Result<bool> ends_at(io::Files& files, const std::string& directory, Offset durable_end) {
    TRY(bases, find_segments(files, directory));
    if (bases.empty()) return durable_end.value == 0;
    TRY(file, open_segment(files, segment_file(directory, bases.back())));
    TRY(bytes, file->size());
    if (bytes == 0) return durable_end == bases.back();
    TRY(last, find_last_batch(*file, durable_end));
    return last && last->end_offset() == durable_end;
}

} // namespace questlog::log
