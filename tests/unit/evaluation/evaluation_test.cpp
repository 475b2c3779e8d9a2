#include "evaluation/evaluation.hpp"

#include "catch.hpp"

using namespace glimpse;

TEST_CASE("Top-1, top-5 and agreement are counted") {
  Evaluation evaluation;
  evaluation.add({"both right", 3}, Guess{{3, 1, 2, 4, 5}, 10}, Guess{{3, 2, 1, 4, 5}, 1});
  evaluation.add({"int8 second", 1}, Guess{{1, 9, 8, 7, 6}, 30}, Guess{{9, 1, 8, 7, 6}, 2});
  evaluation.add({"float fifth, int8 never", 5}, Guess{{0, 1, 2, 3, 5}, 20}, Guess{{0, 1, 2, 3, 4}, 4});
  evaluation.add({"both wrong, another way", 5}, Guess{{0, 1, 2, 3, 4}, 20}, Guess{{7, 1, 2, 3, 4}, 4});
  CHECK(evaluation.pictures == 4);
  CHECK(evaluation.of_float->top1 == 2);
  CHECK(evaluation.of_float->top5 == 3);
  CHECK(evaluation.of_int8->top1 == 1);
  CHECK(evaluation.of_int8->top5 == 2);
  CHECK(evaluation.agreement() == 0.5);
  CHECK(evaluation.share(evaluation.of_int8->top1) == 0.25);
  CHECK(evaluation.of_float->fps() == Approx(50));  // the median is 20 ms
  REQUIRE(evaluation.disagreements.size() == 2);
  CHECK(evaluation.disagreements[0].file == "int8 second");
  CHECK(evaluation.disagreements[1].of_float == 0);
  CHECK(evaluation.disagreements[1].of_int8 == 7);
}

TEST_CASE("A form that the model does not have leaves no score and no agreement") {
  Evaluation evaluation;
  evaluation.add({"a", 0}, std::nullopt, Guess{{0}, 1});
  CHECK_FALSE(evaluation.of_float.has_value());
  CHECK(evaluation.of_int8->top1 == 1);
  CHECK_FALSE(evaluation.agreement().has_value());
}

TEST_CASE("The disagreements that are kept are bounded, their count is not") {
  Evaluation evaluation;
  for (int i = 0; i < 1500; ++i) evaluation.add({"x", 0}, Guess{{0}, 1}, Guess{{1}, 1});
  CHECK(evaluation.disagreements.size() == Evaluation::max_disagreements);
  CHECK(evaluation.pictures - evaluation.agreed == 1500);
}
