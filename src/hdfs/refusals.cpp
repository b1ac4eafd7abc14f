#include "hdfs/refusals.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace questlog::hdfs {
namespace {

constexpr std::array<std::pair<std::string_view, Meaning>, 24> exceptions = {{
    {"FileNotFoundException", Meaning::missing},
    {"ParentNotDirectoryException", Meaning::missing},
    {"FileAlreadyExistsException", Meaning::exists},
    {"AccessControlException", Meaning::forbidden},
    {"AuthorizationException", Meaning::forbidden},
    {"SecurityException", Meaning::forbidden},
    {"SafeModeException", Meaning::safe_mode},
    {"StandbyException", Meaning::standby},
    {"NSQuotaExceededException", Meaning::quota},
    {"DSQuotaExceededException", Meaning::quota},
    {"QuotaByStorageTypeExceededException", Meaning::quota},
    {"QuotaExceededException", Meaning::quota},
    {"AlreadyBeingCreatedException", Meaning::busy},
    {"RecoveryInProgressException", Meaning::busy},
    {"RetriableException", Meaning::busy},
    {"BlockMissingException", Meaning::no_datanode},
    {"LeaseExpiredException", Meaning::busy},
    {"NotReplicatedYetException", Meaning::busy},
    // A DataNode that does not reach the NameNode.
    {"EOFException", Meaning::busy},
    {"ConnectException", Meaning::busy},
    {"SocketException", Meaning::busy},
    {"SocketTimeoutException", Meaning::busy},
    {"InterruptedIOException", Meaning::busy},
    {"ClosedChannelException", Meaning::busy},
}};

/// Of exceptions whose class says nothing: "IOException".
constexpr std::array<std::pair<std::string_view, Meaning>, 9> phrases = {{
    {"safe mode", Meaning::safe_mode},
    {"could only be written to", Meaning::no_datanode},
    {"Failed to find datanode", Meaning::no_datanode},
    {"Could not obtain block", Meaning::no_datanode},
    {"No active nodes contain this block", Meaning::no_datanode},
    {"All datanodes", Meaning::no_datanode},
    {"Unable to create new block", Meaning::no_datanode},
    {"Unable to close file", Meaning::no_datanode},
    {"Connection refused", Meaning::busy},
}};

} // namespace

Meaning meaning_of(const Refusal& refusal) {
    for (const auto& [phrase, meaning] : phrases)
        if (meaning == Meaning::safe_mode && refusal.message.find(phrase) != std::string::npos) return meaning;
    for (const auto& [name, meaning] : exceptions)
        if (refusal.exception == name) return meaning;
    for (const auto& [phrase, meaning] : phrases)
        if (refusal.message.find(phrase) != std::string::npos) return meaning;
    return Meaning::other;
}

bool may_pass(Meaning meaning) {
    switch (meaning) {
    case Meaning::safe_mode:
    case Meaning::standby:
    case Meaning::no_datanode:
    case Meaning::busy: return true;
    case Meaning::missing:
    case Meaning::exists:
    case Meaning::forbidden:
    case Meaning::quota:
    case Meaning::other: return false;
    }
    return false;
}

Error error_of(const Refusal& refusal, const Refused& call) {
    const std::string said = refusal.message.empty() ? refusal.exception : refusal.message;
    switch (meaning_of(refusal)) {
    case Meaning::missing: return reject("{} is not there ({})", call.path, said);
    case Meaning::exists: return reject("{} is there already ({})", call.path, said);
    case Meaning::forbidden:
        return reject("HDFS does not let user {} do {} on {} ({}): name another user with `user` in [lake] or "
                      "HADOOP_USER_NAME, or let the owner grant the right",
                      call.user, call.operation, call.path, said);
    case Meaning::safe_mode:
        return retry_later("HDFS takes no changes, its NameNode {} is in safe mode: run this again once `hdfs dfsadmin "
                           "-safemode get` says OFF",
                           call.namenode);
    case Meaning::standby:
        return retry_later("the NameNode {} is on standby: name the active one with `webhdfs` in [lake]",
                           call.namenode);
    case Meaning::quota: {
        Error error = retry_later("HDFS's quota is used up ({}): remove what is not needed, or raise it with `hdfs "
                                  "dfsadmin -setSpaceQuota` or -setQuota, and run this again",
                                  said);
        error.system_errno = EDQUOT;
        return error;
    }
    case Meaning::no_datanode:
        return retry_later("no DataNode of HDFS takes or gives the bytes of {} ({}): they are down or full, which "
                           "`hdfs dfsadmin -report` tells; run this again when they are not",
                           call.path, said);
    case Meaning::busy: return retry_later("HDFS is busy with {} ({}): run this again in a moment", call.path, said);
    case Meaning::other: break;
    }
    return internal("HDFS failed to do {} on {}: {} ({})", call.operation, call.path, said, refusal.exception);
}

} // namespace questlog::hdfs
