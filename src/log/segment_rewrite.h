#pragma once

#include "log/damage_scan.h"

/// The two changes that a repair makes to a partition's files. Each is there as a whole or not at all, whatever
/// interrupts it, and doing it again changes nothing.
namespace questlog::log {

/// Keeps the damaged bytes in a file of their own in the partition's directory, durably; its name, "<segment>.log.
/// damaged-<position>", with a number behind it where another repair left a file of that name. Empty where the damage
/// has no bytes.
Result<std::string> set_aside(io::Files& files, const std::string& directory, const SegmentScan& segment,
                              const Damage& damage);

/// The name that set_aside() would give.
Result<std::string> set_aside_name(io::Files& files, const std::string& directory, const SegmentScan& segment,
                                   const Damage& damage);

/// Puts in the segment's place one that holds its whole batches and holes where the damages are.
Status rewrite_segment(io::Files& files, const std::string& directory, const SegmentScan& segment);

} // namespace questlog::log
