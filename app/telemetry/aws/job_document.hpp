// What a job asks for: the one document that is known, install-model.
#pragma once

#include <stdexcept>
#include <string>

#include "core/model_order.hpp"

namespace glimpse {

/// Why a document is none, in one line.
class BadJob : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline constexpr std::uint64_t max_model_bytes_of_a_job = 1ull << 30;

/// {"operation": "install-model", "name": …, "url": …, "sha256": …, "size": …, "quantized": …}, the last of
/// them optional, and nothing else. Throws BadJob that names the key.
[[nodiscard]] ModelOrder parse_job_document(const std::string& json);

}  // namespace glimpse
