#include "view/eval_view.hpp"

#include "catch.hpp"

using namespace glimpse;

namespace {

const EvalSubject subject{"m", {"cat", "dog \xff"}, 2, "torch", "onednn"};

Evaluation three_pictures() {
  Evaluation evaluation;
  evaluation.add({"a.jpg", 0}, Guess{{0, 1}, 10}, Guess{{0, 1}, 5});
  evaluation.add({"b.jpg", 1}, Guess{{1, 0}, 10}, Guess{{0, 1}, 5});
  evaluation.skipped = 1;
  return evaluation;
}

}  // namespace

TEST_CASE("The evaluation as JSON has the keys of the contract, on one line") {
  CHECK(eval_json(three_pictures(), subject) ==
        R"({"images":2,"float":{"top1":1.0,"top5":1.0,"fps":100.0,"backend":"torch"},)"
        R"("int8":{"top1":0.5,"top5":1.0,"fps":200.0,"backend":"onednn"},"agreement":0.5,"skipped":1,)"
        R"("model":"m","threads":2,)"
        "\"disagreements\":[{\"file\":\"b.jpg\",\"truth\":\"dog \ufffd\",\"float\":\"dog "
        "\ufffd\",\"int8\":\"cat\"}]}");
}

TEST_CASE("What the model has no form for is null, and a dash for people") {
  Evaluation evaluation;
  evaluation.add({"a.jpg", 0}, Guess{{0, 1}, 10}, std::nullopt);
  CHECK_THAT(eval_json(evaluation, subject), ContainsSubstring(R"("int8":null,"agreement":null)"));
  CHECK_THAT(eval_text(evaluation, subject),
             ContainsSubstring("int8              -        -        -  -\n") &&
                 ContainsSubstring("agreement         -\n"));
}

TEST_CASE("The table is followed by the pictures that the forms disagree on, twenty at most") {
  const std::string text = eval_text(three_pictures(), subject);
  CHECK_THAT(text, ContainsSubstring("float       100.0 %  100.0 %    100.0  torch\n"));
  CHECK_THAT(text, ContainsSubstring("float and int8 disagree on 1 picture:\n"));
  Evaluation many;
  for (int i = 0; i < 50; ++i) many.add({std::to_string(i) + ".jpg", 0}, Guess{{0}, 1}, Guess{{1}, 1});
  const std::string long_text = eval_text(many, subject);
  CHECK_THAT(long_text,
             ContainsSubstring("disagree on 50 pictures, the first 20:\n") && ContainsSubstring("19.jpg"));
  CHECK(long_text.find("20.jpg") == std::string::npos);
}
