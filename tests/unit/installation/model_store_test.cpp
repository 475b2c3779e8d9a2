#include "installation/model_store.hpp"

#include "catch.hpp"
#include "core/error.hpp"
#include "installation/download.hpp"
#include "support.hpp"

using namespace glimpse;
namespace fs = std::filesystem;

namespace {

struct Store {
  TempFolder folder;
  fs::path path = folder.path() / "models";
  std::unique_ptr<ModelStore> store = std::make_unique<ModelStore>(path);

  void restart() {
    store.reset();
    store = std::make_unique<ModelStore>(path);
  }
  void place(const std::string& name, const std::string& sha256) {
    const fs::path unpacked = store->incoming_folder();
    std::ofstream(unpacked / "float.pt") << sha256;
    store->place(unpacked, name, sha256);
  }
  void install(const std::string& name, const std::string& sha256) {
    place(name, sha256);
    store->keep({name, false});
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    return bytes_of(path / name / "float.pt");
  }
  [[nodiscard]] bool is_there(const std::string& name) const { return fs::exists(path / name); }
};

}  // namespace

TEST_CASE("a model that runs is the one to begin with") {
  Store it;
  CHECK_FALSE(it.store->active().has_value());
  it.install("birds", "one");
  it.restart();
  REQUIRE(it.store->active().has_value());
  CHECK(it.store->active()->name == "birds");
  CHECK_FALSE(it.store->active()->quantized);
  CHECK(it.store->has("birds", "one"));
  CHECK_FALSE(it.store->has("birds", "two"));
  CHECK_FALSE(it.store->has("cats", "one"));
  CHECK((fs::status(it.path).permissions() & fs::perms::all) == fs::perms(0700));
}

TEST_CASE("a model that does not run goes, and what it replaced comes back") {
  Store it;
  it.install("birds", "one");
  it.place("birds", "two");
  CHECK(it.content("birds") == "two");
  CHECK_FALSE(it.store->has("birds", "two"));  // not before it runs
  it.store->roll_back("birds");
  CHECK(it.content("birds") == "one");
  it.place("cats", "three");
  it.store->roll_back("cats");
  CHECK_FALSE(it.is_there("cats"));
  CHECK(it.store->active()->name == "birds");
}

TEST_CASE("what a program's end has cut short is undone") {
  Store it;
  it.install("birds", "one");
  SECTION("a replacement that had not run") {
    it.place("birds", "two");
    it.restart();
  }
  SECTION("between putting aside and replacing") {
    fs::rename(it.path / "birds", it.path / ".previous/birds");
    it.restart();
  }
  SECTION("a new one that had not run") {
    it.place("cats", "three");
    it.restart();
    CHECK_FALSE(it.is_there("cats"));
  }
  SECTION("unpacking") {
    std::ofstream(it.store->incoming_folder() / "float.pt") << "two";
    it.restart();
    CHECK_FALSE(fs::exists(it.path / ".incoming/unpacked"));
  }
  CHECK(it.content("birds") == "one");
  CHECK(it.store->has("birds", "one"));
  CHECK(it.store->active()->name == "birds");
  CHECK(fs::is_empty(it.path / ".previous"));
}

TEST_CASE("a replacement that ran stays, though the program ended before it had tidied up") {
  Store it;
  it.install("birds", "one");
  it.place("birds", "two");
  fs::rename(it.path / "birds/.placed", it.path / "birds/.installed");
  it.restart();
  CHECK(it.content("birds") == "two");
  CHECK(fs::is_empty(it.path / ".previous"));
}

TEST_CASE("four models stay, the oldest goes, and never the active one") {
  Store it;
  for (const char* name : {"a", "b", "c", "d"}) it.install(name, name);
  it.store->keep({"a", false});  // activated again, and so the newest
  it.install("e", "e");
  CHECK_FALSE(it.is_there("b"));
  for (const char* name : {"a", "c", "d", "e"}) CHECK(it.is_there(name));
  it.install("f", "f");
  CHECK_FALSE(it.is_there("c"));
}

TEST_CASE("what a person has put there is left alone") {
  Store it;
  fs::create_directory(it.path / "mine");
  for (const char* name : {"a", "b", "c", "d", "e"}) it.install(name, name);
  it.restart();
  CHECK(it.is_there("mine"));
}

TEST_CASE("a file that came in part is found again, and makes place for that of another order") {
  Store it;
  const fs::path part = it.store->incoming_file("one");
  std::ofstream(part) << "half";
  std::ofstream(part.string() + ".validator") << "tag";
  it.restart();
  CHECK(it.store->incoming_file("one") == part);
  CHECK(bytes_of(part) == "half");
  (void)it.store->incoming_file("two");
  CHECK(fs::is_empty(it.path / ".incoming"));
}

TEST_CASE("activations that did not come to an end are counted over restarts") {
  Store it;
  CHECK(it.store->begin_activation("one") == 1);
  it.restart();
  CHECK(it.store->begin_activation("one") == 2);
  CHECK(it.store->begin_activation("two") == 1);
  it.store->clear_incoming();
  CHECK(it.store->begin_activation("one") == 1);
  it.store->end_activation();
  CHECK(it.store->begin_activation("one") == 1);
}

TEST_CASE("a marker that is none, or of a model that is gone, is no marker") {
  Store it;
  it.install("birds", "one");
  SECTION("the model is gone") {
    fs::remove_all(it.path / "birds");
  }
  SECTION("its form is gone") {
    fs::remove(it.path / "birds/float.pt");
  }
  SECTION("it is damaged") {
    const std::string text = GENERATE(
        "", "{", "[]", "{\"model\": 7, \"quantized\": false}", "{\"model\": \"birds\"}",
        "{\"model\": \"../birds\", \"quantized\": false}", "{\"model\": \"birds\", \"quantized\": \"no\"}");
    std::ofstream(it.path / ".activated.json") << text;
  }
  it.restart();
  CHECK_FALSE(it.store->active().has_value());
}

TEST_CASE("a folder of two programs is refused to the second") {
  const Store it;
  CHECK_THROWS_WITH(
      ModelStore(it.path),
      ContainsSubstring("is in use by another glimpse; name another state folder with --state"));
}

TEST_CASE("a folder that cannot be is refused") {
  const TempFolder folder;
  CHECK_THROWS_AS(ModelStore(folder.write("file", "") / "models"), Error);
  CHECK_THROWS_AS(ModelStore(folder.path() / "none" / "models"), Error);
}
