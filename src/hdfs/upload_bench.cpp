// The file that QUESTLOG_UPLOAD_FILE names, sent to /questlog-upload-bench of the HDFS that QUESTLOG_WEBHDFS names
// (HOST:PORT of its NameNode's HTTP): synced there and its checksum compared, as the lake's files are.
#include "hdfs/webhdfs_client.h"
#include "io/real_env.h"

#include <benchmark/benchmark.h>
#include <cstdlib>

namespace questlog::hdfs {
namespace {

void upload(benchmark::State& state) {
    const char* namenode = std::getenv("QUESTLOG_WEBHDFS");
    const char* path = std::getenv("QUESTLOG_UPLOAD_FILE");
    if (namenode == nullptr || path == nullptr) {
        state.SkipWithError("QUESTLOG_WEBHDFS or QUESTLOG_UPLOAD_FILE is not set");
        return;
    }
    io::RealEnv real;
    ClientOptions options;
    options.namenode = namenode;
    const char* user = std::getenv("HADOOP_USER_NAME");
    options.user = user == nullptr ? "root" : user;
    WebHdfsClient client(real.env().clock, real.env().entropy, options);
    const auto file = real.env().files.open(path, io::Open::read);
    const auto size = file.ok() ? (*file)->size() : Result<std::int64_t>(file.error());
    if (!size.ok()) {
        state.SkipWithError(size.error().message.c_str());
        return;
    }
    for (auto _ : state) {
        const auto sent = client.upload("/questlog-upload-bench", Body{{}, file->get(), *size});
        if (!sent.ok()) {
            state.SkipWithError(sent.error().message.c_str());
            return;
        }
    }
    state.SetBytesProcessed(state.iterations() * *size);
}
BENCHMARK(upload)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);

} // namespace
} // namespace questlog::hdfs
