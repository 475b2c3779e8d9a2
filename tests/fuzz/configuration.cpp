// A configuration file of any content is taken whole, and then written and read back the same, or refused in
// one line with the settings as they were.
#include "config/settings.hpp"
#include "fuzz.hpp"

using namespace glimpse;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string defaults = to_config(Settings{});
  Settings settings;
  try {
    parse_config(std::string(data, data + size), "glimpse.json", settings);
  } catch (const Error& error) {
    expect_good_refusal(error, ExitCode::configuration, size + 4096);
    expect(to_config(settings) == defaults, "a refused file changes nothing");
    return 0;
  }
  const std::string written = to_config(settings);
  Settings again;
  parse_config(written, "written", again);
  expect(to_config(again) == written, "what is written is read back the same");
  return 0;
}
