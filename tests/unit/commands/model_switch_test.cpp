#include "commands/model_switch.hpp"

#include <atomic>
#include <thread>

#include "capture/test_pattern.hpp"
#include "catch.hpp"
#include "commands/run_control.hpp"
#include "core/bell.hpp"
#include "core/error.hpp"
#include "temp_folder.hpp"

using namespace glimpse;

namespace {

const std::string demo = GLIMPSE_ROOT "/models/demo";

ClassifierOptions options(bool quantized) {
  ClassifierOptions made;
  made.model = demo;
  made.quantized = quantized;
  made.backend = runnable_backends(quantized).back();  // no timing
  made.threads = 1;
  return made;
}

std::shared_ptr<Classifier> load(bool quantized) {
  return std::make_shared<Classifier>(options(quantized));
}

Frame frame(std::uint64_t index = 0) {
  return {draw_test_pattern(0), index, Steady::now()};
}

/// What a model of its own says of the same picture.
double alone(bool quantized) {
  return load(quantized)->classify(frame().image, 1).top.at(0).probability;
}

template <class Condition>
bool comes(Condition condition) {
  const auto until = Steady::now() + std::chrono::seconds(60);
  while (!condition() && Steady::now() < until) std::this_thread::yield();
  return condition();
}

}  // namespace

TEST_CASE("A frame is named by the model that prepared it; then the old one is freed") {
  const double of_float = alone(false), of_int8 = alone(true);
  REQUIRE(of_float != of_int8);
  auto first = load(false);
  const std::weak_ptr<Classifier> old = first;
  ModelSwitch models(std::move(first));
  const Recognition steps = models.steps();
  (void)steps.prepare(frame(), 0);
  std::atomic<bool> is_in{false};
  std::jthread control([&](const std::stop_token& stop) {
    models.put_in(load(true), stop);
    is_in = true;
  });
  REQUIRE(comes([&] { return models.info().quantized; }));
  (void)steps.prepare(frame(), 1);
  CHECK_FALSE(is_in);
  CHECK_FALSE(old.expired());

  const Classification before = steps.classify(0, 1), after = steps.classify(1, 1);
  CHECK(before.top.at(0).probability == of_float);
  CHECK_FALSE(before.model->quantized);
  CHECK(after.top.at(0).probability == of_int8);
  CHECK(after.model->quantized);
  REQUIRE(comes([&] { return is_in.load(); }));
  CHECK(old.expired());
}

TEST_CASE("A prepared frame that was overwritten keeps no model alive") {
  auto first = load(false);
  const std::weak_ptr<Classifier> old = first;
  ModelSwitch models(std::move(first));
  const Recognition steps = models.steps();
  (void)steps.prepare(frame(), 2);
  (void)steps.prepare(frame(), 0);
  (void)steps.classify(0, 1);  // and slot 2 was left out
  models.put_in(load(true), {});
  CHECK(old.expired());
}

TEST_CASE("A stop ends the wait for a frame that does not come; the new model is in use all the same") {
  ModelSwitch models(load(false));
  (void)models.steps().prepare(frame(), 0);
  std::jthread control([&](const std::stop_token& stop) { models.put_in(load(true), stop); });
  REQUIRE(comes([&] { return models.info().quantized; }));
  control.request_stop();
  control.join();
  CHECK(models.info().quantized);
}

namespace {

/// The same picture again and again, until the test has seen enough.
struct Still : VideoSource {
  SourceInfo description;
  std::uint64_t next = 0;
  std::atomic<bool> enough{false};
  ReadResult read(Frame& into) override {
    if (enough) return {ReadStatus::end, ""};
    into = frame(next++);
    return {};
  }
  const SourceInfo& info() const override { return description; }
};

struct Keep : Sink {
  std::mutex mutex;
  std::vector<Record> records;
  void accept(const Record& record) override {
    const std::lock_guard lock(mutex);
    records.push_back(record);
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return records.size();
  }
};

}  // namespace

TEST_CASE("No frame is lost over a change of the model, and each record names the model of its predictions") {
  const double of_float = alone(false), of_int8 = alone(true);
  ModelSwitch models(load(false));
  SharedSettings live({std::chrono::milliseconds(0), {}, 1});
  Bell bell;
  ClassifierOptions automatic = options(true);
  RunControl control(live, {}, load_beside(models, automatic), bell);
  Keep sink;
  Reporter reporter({}, live, &sink, [] { return std::nullopt; });
  auto source = std::make_unique<Still>();
  Still& still = *source;
  std::uint64_t given = 0;
  {
    Pipeline pipeline(std::move(source), models.steps(), reporter, live, {});
    REQUIRE(comes([&] { return sink.count() > 20; }));
    std::atomic<bool> done{false};
    control.ask({{}, true, {}, {}, {}}, [&](const std::vector<Refusal>& refusals) {
      CHECK(refusals.empty());
      done = true;
    });
    REQUIRE(comes([&] { return done.load(); }));
    CHECK(control.in_force().model.quantized);
    const std::size_t then = sink.count();
    REQUIRE(comes([&] { return sink.count() > then + 20; }));
    still.enough = true;
    REQUIRE(pipeline.wait_until(Steady::now() + std::chrono::seconds(60), {}));
    given = still.next;  // which the pipeline takes along
  }
  int changes = 0;
  for (std::size_t i = 0; i < sink.records.size(); ++i) {
    const Record& record = sink.records[i];
    REQUIRE(record.frame_index == i);
    if (i > 0 && record.model != sink.records[i - 1].model) ++changes;
    REQUIRE(record.predictions.at(0).probability == (record.model.quantized ? of_int8 : of_float));
  }
  CHECK(changes == 1);
  CHECK_FALSE(sink.records.front().model.quantized);
  CHECK(reporter.totals().classified == given);
}

namespace {

std::string refusal(const LoadModel& load, const std::optional<std::string>& model,
                    std::optional<bool> quantized) {
  try {
    (void)load(model, quantized);
  } catch (const Error& error) {
    return error.what();
  }
  FAIL("taken without a word");
  return "";
}

}  // namespace

TEST_CASE("What runs is not loaded again, wherever it is asked for from, unless its file is another") {
  const TempFolder folder;
  const std::string copy = (folder.path() / "mine").string();
  std::filesystem::copy(demo, copy);
  ClassifierOptions mine = options(false);
  mine.model = copy;
  ModelSwitch models(std::make_shared<Classifier>(mine));
  ClassifierOptions as_started = mine;
  as_started.model = demo;  // no matter
  const LoadModel load = load_beside(models, as_started);
  CHECK_FALSE(load({}, false));
  CHECK_FALSE(load(copy, {}));
  CHECK_FALSE(load(copy + "/.", false));
  CHECK(load(demo, {}));  // elsewhere, and who knows what int8.pt is there
  std::filesystem::copy(demo + "/int8.pt", copy + "/float.pt",
                        std::filesystem::copy_options::overwrite_existing);
  CHECK_THAT(refusal(load, copy, {}), ContainsSubstring("is damaged or not the file of its manifest"));

  // Exported anew: another file of the same name.
  std::ifstream in(demo + "/manifest.json");
  std::string manifest{std::istreambuf_iterator<char>(in), {}};
  const std::string was = models.info().sha256, is = Classifier(options(true)).info().sha256;
  REQUIRE(manifest.find(was) != std::string::npos);
  folder.write("mine/manifest.json", manifest.replace(manifest.find(was), was.size(), is));
  const auto anew = load_beside(models, [&] {
    ClassifierOptions asked = mine;
    asked.backend = "torch";
    return asked;
  }())(copy, {});
  REQUIRE(anew);
  CHECK(anew->identity.sha256 == is);
}

TEST_CASE("A model that cannot be loaded is refused in one line, and what runs goes on") {
  const TempFolder folder;
  const std::string copy = (folder.path() / "mine").string();
  std::filesystem::copy(demo, copy);
  std::filesystem::remove(copy + "/int8.pt");
  ModelSwitch models(load(false));
  const LoadModel load = load_beside(models, options(false));
  CHECK_THAT(refusal(load, "no-such-model", {}), ContainsSubstring("no model 'no-such-model'"));
  CHECK_THAT(refusal(load, copy, true), ContainsSubstring("int8.pt is missing: this model has no int8 form"));
  folder.write("mine/int8.pt", "no model");
  CHECK_THAT(refusal(load, copy, true), ContainsSubstring("is damaged or not the file of its manifest"));
  CHECK_FALSE(models.info().quantized);
  (void)models.steps().prepare(frame(), 0);
  CHECK(models.steps().classify(0, 1).top.size() == 1);
}
