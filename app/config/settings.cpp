#include "config/settings.hpp"

#include <charconv>
#include <cmath>
#include <sstream>

#include "config/duration.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace glimpse {

std::vector<Setting> settings_table(Settings& s) {
  const std::vector<Command> run{Command::run}, eval{Command::eval}, bench{Command::bench},
      provision{Command::provision}, run_and_doctor{Command::run, Command::doctor},
      chosen_backend{Command::run, Command::eval, Command::doctor},
      connected{Command::run, Command::doctor, Command::provision},
      all{Command::run, Command::eval, Command::bench, Command::doctor};
  constexpr bool live = true;
  return {
      {run_and_doctor, "source.uri", "--source", "URI",
       "camera (0, /dev/video0, csi), clip.mp4, a picture, frames/, rtsp://…, http://…, gst:PIPELINE or test",
       &s.source.uri},
      {run, "source.fps", "--fps", "N", "frames per second asked of a camera, and given by test",
       &s.source.fps, 1, 1000},
      {run, "source.size", "--size", "WxH", "picture size asked of a camera, e.g. 1280x720", &s.source.size},
      {run, "source.flip", "--flip", "HOW",
       "turn a camera's pictures: horizontal (mirrored), vertical (upside down) or 180", &s.source.flip},
      {run, "source.loop", "--loop", "", "begin a file or a folder again at its end", &s.source.loop},
      {run, "source.realtime", "--realtime", "",
       "play a file at its own speed instead of as fast as it can go", &s.source.realtime},
      {run, "source.adapt", "--adapt", "",
       "take fewer frames of a live source while the machine is too hot or too slow for all of them",
       &s.source.adapt},
      {all, "model.name", "--model", "NAME|DIR",
       "model to run (default: mobilenet_v2 where it is installed, else demo)", &s.model.name, 0, 0, live},
      {run_and_doctor, "model.quantized", "--quantized", "", "run the int8 form of the model",
       &s.model.quantized, 0, 0, live},
      {run, "model.top_k", "--top-k", "K", "how many predictions to show and to report", &s.model.top_k, 1,
       1000, live},
      {chosen_backend, "model.backend", "--backend", "NAME",
       "what runs the network: auto, torch, onednn or xnnpack", &s.model.backend},
      {all, "model.threads", "--threads", "N",
       "threads for the network (default: one fewer than there are cores)", &s.model.threads, 1, 256},
      {all, "", "--trust", "",
       "run a model file whose SHA-256 is not the manifest's: it is code, so know where it is from",
       &s.model.trust},
      {run, "telemetry.interval_s", "--interval", "DURATION",
       "time between records, e.g. 500ms; 0: one for every frame", &s.telemetry.interval, 0, 86400, live},
      {run, "telemetry.event_hold_s", "--event-hold", "DURATION",
       "a new top-1 that has held for so long has a record at once", &s.telemetry.event_hold, 0, 3600, live},
      {run, "telemetry.event_confidence", "--event-confidence", "P",
       "a top-1 less probable than this is no such event", &s.telemetry.event_confidence, 0, 1, live},
      {run, "telemetry.events_per_hour", "--events-per-hour", "N",
       "at most so many of these records an hour; 0: none", &s.telemetry.events_per_hour, 0, 1000000, live},
      {run_and_doctor, "telemetry.broker", "--broker", "URI", "send records to mqtts://host[:8883]",
       &s.telemetry.broker},
      {connected, "telemetry.ca", "--ca", "FILE", "certificate of the authority that signed the broker's",
       &s.telemetry.ca},
      {run_and_doctor, "telemetry.cert", "--cert", "FILE", "this device's certificate", &s.telemetry.cert},
      {run_and_doctor, "telemetry.key", "--key", "FILE",
       "its private key, readable by its owner alone, or a pkcs11: URI", &s.telemetry.key},
      {connected, "telemetry.device", "--device", "NAME",
       "thing name, client id and topic (default: the host name)", &s.telemetry.device},
      {run_and_doctor, "telemetry.insecure", "--insecure", "", "allow mqtt:// (no TLS) to another machine",
       &s.telemetry.insecure},
      {connected, "telemetry.proxy", "--proxy", "URI",
       "reach the broker through an HTTP proxy, http://[user:password@]host:port", &s.telemetry.proxy},
      {run, "telemetry.keep_alive_s", "--keep-alive", "DURATION",
       "notice an idle connection that has died within 1.5 times this", &s.telemetry.keep_alive, 56, 1200},
      {run, "aws.basic_ingest", "--basic-ingest", "RULE",
       "send records to this topic rule alone, past AWS's broker and its price", &s.aws.basic_ingest},
      {run, "aws.shadow", "--shadow", "", "report to the device shadow 'glimpse', and obey it",
       &s.aws.shadow},
      {run, "aws.jobs", "--jobs", "", "carry out AWS IoT jobs: install-model", &s.aws.jobs},
      {run_and_doctor, "outbox.state", "--state", "DIR",
       "where records wait for the broker (default: $STATE_DIRECTORY, else ~/.local/state/glimpse)",
       &s.outbox.state},
      {run, "outbox.max_mb", "--outbox-mb", "N",
       "at most so many million bytes of records wait there; then the oldest go", &s.outbox.max_mb, 1,
       100000},
      {run, "outbox.max_age_s", "--outbox-age", "DURATION", "records that waited longer go, e.g. 720h",
       &s.outbox.max_age, 60, 1e9},
      {run, "outbox.sync_s", "--sync", "DURATION",
       "records of at most this time are lost by a power cut; 0: none, with a disk write for each",
       &s.outbox.sync, 0, 3600},
      {run, "outbox.drain", "--drain", "ORDER",
       "after a long outage: newest (new records do not wait behind old ones) or fifo (strictly in order)",
       &s.outbox.drain},
      {run, "web.listen", "--web", "HOST:PORT", "serve a live page, e.g. at 127.0.0.1:8080", &s.web.listen},
      {run, "web.open", "--web-open", "", "let whoever reaches that address in, without a token",
       &s.web.open},
      {run, "", "--frames", "N", "stop after N frames", &s.frames, 1, 2e9},
      {run, "", "--duration", "DURATION", "stop after this time, e.g. 30s", &s.duration, 0.001, 1e9},
      {eval, "", "--images", "DIR", "the pictures", &s.eval.images},
      {eval, "", "--labels", "CSV",
       "what they show: a header file,index or file,label (default: DIR has a folder for each class)",
       &s.eval.labels},
      {bench, "", "--source", "URI",
       "bench the whole way from this source (default: a still picture, no decoding)", &s.bench.source},
      {bench, "", "--backend", "NAME", "only this one: torch, onednn or xnnpack (default: each that can run)",
       &s.model.backend},
      {bench, "", "--frames", "N", "frames for each combination in each round (default: 100)",
       &s.bench.frames, 1, 10000},
      {bench, "", "--rounds", "N", "rounds, in each of which every combination has its turn (default: 3)",
       &s.bench.rounds, 1, 100},
      {provision, "", "--claim-cert", "FILE", "the claim's certificate", &s.provision.claim_cert},
      {provision, "", "--claim-key", "FILE", "its private key, readable by its owner alone, or a pkcs11: URI",
       &s.provision.claim_key},
      {provision, "", "--template", "NAME", "the provisioning template at AWS", &s.provision.template_name},
      {provision, "", "--broker", "URI", "AWS's data endpoint, mqtts://host[:8883]", &s.telemetry.broker},
      {provision, "", "--state", "DIR",
       "the identity goes to DIR/identity (default: $STATE_DIRECTORY, else ~/.local/state/glimpse)",
       &s.outbox.state},
      {all, "", "--json", "", "print results as JSON, one object a line", &s.json},
  };
}

std::string expected_by(const Setting& setting) {
  std::ostringstream range;
  range.precision(10);
  range << " from " << setting.min << " to " << setting.max;
  struct Words {
    const std::string range;
    std::string operator()(std::string*) const { return "a text"; }
    std::string operator()(bool*) const { return "true or false"; }
    std::string operator()(int*) const { return "a whole number" + range; }
    std::string operator()(double*) const { return "a number" + range; }
    std::string operator()(std::chrono::milliseconds*) const { return "a number" + range; }
  };
  return std::visit(Words{range.str()}, setting.field);
}

void set_from_text(const Setting& setting, const std::string& text) {
  const auto refuse = [&](const std::string& expected) {
    throw Error(ExitCode::usage,
                setting.flag + ": expected " + expected + ", got \"" + escape_control(text) + "\"");
  };
  const auto in_range = [&](double value) { return value >= setting.min && value <= setting.max; };
  const auto parse = [&](auto& value) {
    const char* const end = text.data() + text.size();
    const auto [stopped_at, error] = std::from_chars(text.data(), end, value);
    return error == std::errc{} && stopped_at == end;
  };
  if (auto* const* text_field = std::get_if<std::string*>(&setting.field)) {
    **text_field = text;
  } else if (auto* const* flag = std::get_if<bool*>(&setting.field)) {
    **flag = true;
  } else if (auto* const* whole = std::get_if<int*>(&setting.field)) {
    int value = 0;
    if (!parse(value) || !in_range(value)) refuse(expected_by(setting));
    **whole = value;
  } else if (auto* const* number = std::get_if<double*>(&setting.field)) {
    double value = 0;
    if (!parse(value) || !in_range(value)) refuse(expected_by(setting));
    **number = value;
  } else {
    const auto value = parse_duration(text);
    if (!value || !in_range(std::chrono::duration<double>(*value).count())) {
      refuse("a time such as 500ms, 30s, 5m or 1h," +
             expected_by(setting).substr(std::string("a number").size()) + " seconds");
    }
    *std::get<std::chrono::milliseconds*>(setting.field) = *value;
  }
}

}  // namespace glimpse
