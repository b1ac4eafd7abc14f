#pragma once

#include "base/result.h"
#include "hdfs/answers.h"

#include <string>

/// What RemoteExceptions mean.
namespace questlog::hdfs {

enum class Meaning : std::uint8_t {
    missing,     ///< There is no such file or folder.
    exists,      ///< There is one already.
    forbidden,   ///< The user may not.
    safe_mode,   ///< The NameNode takes no changes.
    standby,     ///< It is not the active NameNode.
    quota,       ///< Of names or bytes.
    no_datanode, ///< Nobody takes or gives the block.
    busy,        ///< Someone else is writing the file, or the server is not ready.
    other,
};

[[nodiscard]] Meaning meaning_of(const Refusal& refusal);
/// Whether the same call may succeed a moment later.
[[nodiscard]] bool may_pass(Meaning meaning);

struct Refused {
    std::string user;
    std::string operation;
    std::string path;     ///< With the NameNode: "hdfs://HOST:PORT/path", or as it is known.
    std::string namenode; ///< WebHDFS's address.
};
/// The error of a call, with what to do.
[[nodiscard]] Error error_of(const Refusal& refusal, const Refused& call);

} // namespace questlog::hdfs
