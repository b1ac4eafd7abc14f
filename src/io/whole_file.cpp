#include "io/whole_file.h"

#include <fmt/format.h>
#include <span>

namespace questlog::io {
namespace {

Status write_synced(Files& files, const std::string& path, std::string_view bytes) {
    CHECK_OK(files.remove_file(path));
    TRY(file, files.open(path, Open::create_new));
    CHECK_OK(file->write_at(0, std::as_bytes(std::span(bytes))));
    return file->sync_data();
}

} // namespace

Result<std::string> read_text_file(Files& files, const std::string& path) {
    TRY(file, files.open(path, Open::read));
    TRY(size, file->size());
    std::string text(static_cast<std::size_t>(size), '\0');
    TRY(got, file->read_at(0, std::as_writable_bytes(std::span(text))));
    text.resize(got);
    return text;
}

Status write_file_durably(Files& files, const std::string& directory, const std::string& path, std::string_view bytes) {
    const auto temporary = fmt::format("{}{}", path, temporary_suffix);
    CHECK_OK(write_synced(files, temporary, bytes));
    CHECK_OK(files.rename(temporary, path));
    return files.sync_directory(directory);
}

Result<bool> write_new_file_durably(Files& files, const std::string& directory, const std::string& path,
                                    std::string_view bytes, const std::string& temporary) {
    CHECK_OK(write_synced(files, temporary, bytes));
    TRY(is_new, files.rename_new(temporary, path));
    if (!is_new) CHECK_OK(files.remove_file(temporary));
    CHECK_OK(files.sync_directory(directory));
    return is_new;
}

} // namespace questlog::io
