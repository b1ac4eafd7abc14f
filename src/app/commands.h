#pragma once

#include "app/arguments.h"
#include "app/context.h"
#include "base/result.h"

/// The commands. Each prints what was asked for on Context::out; an error's kind decides the exit code.
namespace questlog::app {

Status run(const Context& context, const ServeArguments& arguments);
Status run(const Context& context, const TopicCreateArguments& arguments);
Status run(const Context& context, const TopicDescribeArguments& arguments);
Status run(const Context& context, const TopicListArguments& arguments);
Status run(const Context& context, const TailArguments& arguments);
Status run(const Context& context, const BatchArguments& arguments);
Status run(const Context& context, const LandArguments& arguments);
Status run(const Context& context, const RebuildArguments& arguments);
Status run(const Context& context, const VerifyArguments& arguments);
Status run(const Context& context, const SqlArguments& arguments);
Status run(const Context& context, const ShowArguments& arguments);
Status run(const Context& context, const SchemaArguments& arguments);
Status run(const Context& context, const ConnectArguments& arguments);
Status run(const Context& context, const DeadLettersArguments& arguments);
Status run(const Context& context, const ReplayArguments& arguments);
Status run(const Context& context, const LsArguments& arguments);
Status run(const Context& context, const StatusArguments& arguments);
Status run(const Context& context, const LogInspectArguments& arguments);
Status run(const Context& context, const LogVerifyArguments& arguments);
Status run(const Context& context, const LogRepairArguments& arguments);
Status run(const Context& context, const LogTrimArguments& arguments);

} // namespace questlog::app
