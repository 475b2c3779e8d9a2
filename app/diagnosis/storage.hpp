// Where records wait for the broker: folder, disk, outbox.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "diagnosis/examination.hpp"
#include "diagnosis/running.hpp"

namespace glimpse {

struct OutboxPlace {
  std::string folder;  // "" where there is no HOME
  std::string file;
  std::uint64_t max_bytes = 0;
};

[[nodiscard]] Check check_state_folder(const std::string& folder);
/// `free`: bytes; `used`: what the outbox has of its most already.
[[nodiscard]] Check judge_disk(std::uint64_t free, std::uint64_t used, std::uint64_t most,
                               const std::string& folder);
[[nodiscard]] Check check_disk(const OutboxPlace& place);
/// Reads it where no run has it; locks it for half a second at most.
[[nodiscard]] Check check_outbox(const OutboxPlace& place, const std::optional<Running>& running);
[[nodiscard]] Check check_running(const std::optional<Running>& running);

[[nodiscard]] std::vector<Examination> storage_examinations(const OutboxPlace& place);

}  // namespace glimpse
