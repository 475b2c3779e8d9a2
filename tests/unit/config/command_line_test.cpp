#include "config/command_line.hpp"

#include <vector>

#include "catch.hpp"
#include "core/error.hpp"

using namespace glimpse;

namespace {

CommandLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "glimpse");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

std::string usage_error(const std::vector<const char*>& words) {
  try {
    (void)parse(words);
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::usage);
    return error.what();
  }
  FAIL("taken without a word");
  return "";
}

}  // namespace

TEST_CASE("The flags of the contract fill the settings") {
  const Settings s =
      parse({"run",        "--source",  "clip.mp4", "--model",    "demo",   "--quantized", "--top-k",
             "5",          "--backend", "torch",    "--threads",  "2",      "--fps",       "30",
             "--broker",   "mqtts://b", "--ca",     "a",          "--cert", "c",           "--key",
             "k",          "--device",  "pi-1",     "--interval", "500ms",  "--frames",    "9",
             "--duration", "2m",        "--loop",   "--realtime", "--json"})
          .settings;
  CHECK(s.source.uri == "clip.mp4");
  CHECK(s.model.name == "demo");
  CHECK(s.model.quantized);
  CHECK(s.model.top_k == 5);
  CHECK(s.model.backend == "torch");
  CHECK(s.model.threads == 2);
  CHECK(s.source.fps == 30);
  CHECK(s.telemetry.broker == "mqtts://b");
  CHECK(s.telemetry.ca == "a");
  CHECK(s.telemetry.cert == "c");
  CHECK(s.telemetry.key == "k");
  CHECK(s.telemetry.device == "pi-1");
  CHECK(s.telemetry.interval.count() == 500);
  CHECK(s.frames == 9);
  CHECK(s.duration.count() == 120000);
  CHECK(s.source.loop);
  CHECK(s.source.realtime);
  CHECK(s.json);
}

TEST_CASE("The flags of cameras fill the settings") {
  const Settings s = parse({"run", "--size", "1280x720", "--flip", "180", "--adapt"}).settings;
  CHECK(s.source.size == "1280x720");
  CHECK(s.source.flip == "180");
  CHECK(s.source.adapt);
}

TEST_CASE("The flags of events fill the settings") {
  const Settings s =
      parse({"run", "--event-hold", "1.5s", "--event-confidence", "0.8", "--events-per-hour", "60"}).settings;
  CHECK(s.telemetry.event_hold.count() == 1500);
  CHECK(s.telemetry.event_confidence == 0.8);
  CHECK(s.telemetry.events_per_hour == 60);
}

TEST_CASE("The defaults are those of the documentation") {
  const Settings s = parse({"run"}).settings;
  CHECK(s.source.uri == "0");
  CHECK(s.source.fps == 36);
  CHECK(s.source.size.empty());
  CHECK(s.source.flip == "none");
  CHECK_FALSE(s.source.adapt);
  CHECK(s.model.top_k == 10);
  CHECK(s.model.backend == "auto");
  CHECK(s.telemetry.interval.count() == 1000);
  CHECK(s.telemetry.event_hold.count() == 300);
  CHECK(s.telemetry.event_confidence == 0.5);
  CHECK(s.telemetry.events_per_hour == 3600);
}

TEST_CASE("Bad usage names the flag") {
  CHECK_THAT(usage_error({"run", "--top-k", "0"}),
             ContainsSubstring("--top-k: expected a whole number from 1 to 1000, got \"0\""));
  CHECK_THAT(usage_error({"run", "--top-k", "5000"}), ContainsSubstring("--top-k"));
  CHECK_THAT(usage_error({"run", "--top-k", "ten"}), ContainsSubstring("--top-k"));
  CHECK_THAT(usage_error({"run", "--interval", "soon"}),
             ContainsSubstring("--interval: expected a time such as 500ms"));
  CHECK_THAT(usage_error({"run", "--interval", "25h"}), ContainsSubstring("from 0 to 86400 seconds"));
  CHECK_THAT(usage_error({"run", "--event-hold", "2h"}),
             ContainsSubstring("--event-hold: expected a time such as 500ms") &&
                 ContainsSubstring("from 0 to 3600 seconds"));
  for (const char* confidence : {"-0.1", "1.1", "nan", "high"}) {
    CHECK_THAT(usage_error({"run", "--event-confidence", confidence}),
               ContainsSubstring("--event-confidence: expected a number from 0 to 1, got"));
  }
  for (const char* count : {"-1", "1000001", "0.5", "many"}) {
    CHECK_THAT(usage_error({"run", "--events-per-hour", count}),
               ContainsSubstring("--events-per-hour: expected a whole number from 0 to 1000000, got"));
  }
  CHECK_THAT(usage_error({"run", "--frames", "-1"}), ContainsSubstring("--frames"));
  CHECK_THAT(usage_error({"run", "--sauce", "0"}), ContainsSubstring("--sauce"));
  CHECK_THAT(usage_error({"run", "--top-k"}), ContainsSubstring("--top-k"));
  CHECK_THAT(usage_error({"fly"}), ContainsSubstring("glimpse --help"));
  usage_error({});
}

TEST_CASE("Each command takes its own flags and no other's") {
  const CommandLine line = parse({"eval", "--images", "photos", "--labels", "l.csv", "--model", "demo",
                                  "--backend", "torch", "--threads", "2", "--trust", "--json"});
  CHECK(line.command == Command::eval);
  CHECK(line.settings.eval.images == "photos");
  CHECK(line.settings.eval.labels == "l.csv");
  CHECK(line.settings.model.name == "demo");
  CHECK(line.settings.model.trust);
  CHECK(line.settings.json);
  CHECK(parse({"run"}).command == Command::run);
  CHECK_THAT(usage_error({"eval", "--source", "0"}),
             ContainsSubstring("--source") && ContainsSubstring("glimpse eval --help"));
  CHECK_THAT(usage_error({"eval", "--config", "f"}), ContainsSubstring("--config"));
  CHECK_THAT(usage_error({"run", "--images", "d"}),
             ContainsSubstring("--images") && ContainsSubstring("glimpse run --help"));
}

TEST_CASE("The flags of provision, and none of the others'") {
  const CommandLine line =
      parse({"provision", "--claim-cert", "c", "--claim-key", "k", "--template", "t", "--device", "pi-1",
             "--broker", "mqtts://b", "--ca", "a", "--state", "d", "--proxy", "http://p:1"});
  CHECK(line.command == Command::provision);
  CHECK(line.settings.provision.claim_cert == "c");
  CHECK(line.settings.provision.claim_key == "k");
  CHECK(line.settings.provision.template_name == "t");
  CHECK(line.settings.telemetry.device == "pi-1");
  CHECK(line.settings.telemetry.broker == "mqtts://b");
  CHECK(line.settings.telemetry.ca == "a");
  CHECK(line.settings.telemetry.proxy == "http://p:1");
  CHECK(line.settings.outbox.state == "d");
  for (const char* other : {"--cert", "--insecure", "--json", "--config"})
    CHECK_THAT(usage_error({"provision", other, "x"}), ContainsSubstring("provision --help"));
  CHECK_THAT(usage_error({"run", "--template", "t"}), ContainsSubstring("--template"));
}

TEST_CASE("The flags of bench, and what it does without them") {
  const CommandLine line = parse({"bench", "--model", "demo", "--backend", "torch", "--threads", "2",
                                  "--frames", "9", "--rounds", "2", "--source", "clip.mp4", "--json"});
  CHECK(line.command == Command::bench);
  CHECK(line.settings.bench.source == "clip.mp4");
  CHECK(line.settings.bench.frames == 9);
  CHECK(line.settings.bench.rounds == 2);
  CHECK(line.settings.model.backend == "torch");
  const Settings s = parse({"bench"}).settings;
  CHECK(s.bench.source.empty());
  CHECK(s.bench.frames == 100);
  CHECK(s.bench.rounds == 3);
  CHECK_THAT(usage_error({"bench", "--rounds", "0"}),
             ContainsSubstring("--rounds: expected a whole number from 1 to 100"));
  CHECK_THAT(usage_error({"bench", "--images", "d"}), ContainsSubstring("--images"));
  CHECK_THAT(usage_error({"run", "--rounds", "3"}), ContainsSubstring("--rounds"));
}

TEST_CASE("Help, version and settings are printed instead of run") {
  CHECK_THAT(parse({"--help"}).text, ContainsSubstring("run"));
  for (const char* command : {"run", "eval", "bench", "doctor", "provision"}) {
    CHECK_THAT(
        parse({command, "--help"}).text,
        ContainsSubstring("Examples:\n  glimpse " + std::string(command)) && ContainsSubstring("Exit: "));
  }
  CHECK_THAT(parse({"--version"}).text, ContainsSubstring("glimpse 0."));
  CHECK_THAT(parse({"run", "--top-k", "4", "--print-config"}).text, ContainsSubstring("\"top_k\": 4"));
}
