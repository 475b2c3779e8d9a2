// A model's manifest.json and glimpse.json of any content: usable as their header promises, or refused in one
// line.
#include <algorithm>
#include <cmath>

#include "fuzz.hpp"
#include "inference/model_package.hpp"

using namespace glimpse;

namespace {

void expect_usable(const InputSpec& input) {
  const auto is_size = [](int pixels) { return pixels >= 1 && pixels <= 4096; };
  expect(is_size(input.width) && is_size(input.height) && is_size(input.resize),
         "sizes are 1 to 4096 pixels");
  expect(input.resize >= std::max(input.width, input.height), "what is cut out lies inside");
  for (const float mean : input.mean) expect(std::isfinite(mean), "a mean is a number");
  for (const float deviation : input.std)
    expect(std::isfinite(deviation) && deviation > 0, "a deviation is a number above 0");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string json(data, data + size);
  try {
    expect_usable(parse_description(json, "glimpse.json").input);
  } catch (const Error& error) {
    expect_good_refusal(error, ExitCode::bad_data, size + 4096);
  }
  try {
    (void)parse_manifest(json, "float.pt", "manifest.json");
  } catch (const Error& error) {
    expect_good_refusal(error, ExitCode::bad_data, size + 4096);
  }
  return 0;
}
