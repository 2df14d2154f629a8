#include "router/offline/svg_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pointsman::offline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SvgPlot, PutsPointsWhereTheAxesSay) {
  SvgPlot plot({"x", 0, 100, "%.0f"}, {"y", 0, 10, "%.1f"});
  plot.Dots({{0, 0, "corner"}, {100, 10, "opposite"}}, "first");
  plot.Line({{0, 10, ""}, {100, 0, ""}}, "second");
  plot.Steps({{0, 0, ""}, {100, 10, ""}}, "first");
  const std::string svg = plot.Svg();
  EXPECT_THAT(svg, HasSubstr("cx=\"60.0\" cy=\"350.0\"><title>corner"));
  EXPECT_THAT(svg, HasSubstr("cx=\"700.0\" cy=\"20.0\"><title>opposite"));
  EXPECT_THAT(svg, HasSubstr("class=\"line second\" d=\"M60.0,20.0 L700.0,350.0\""));
  EXPECT_THAT(svg, HasSubstr("d=\"M60.0,350.0 H700.0 V20.0\""));
  EXPECT_THAT(svg, HasSubstr(">80</text>"));
  EXPECT_THAT(svg, HasSubstr(">8.0</text>"));
}

TEST(SvgPlot, BarsAndMarksStandOnTheAxis) {
  SvgPlot plot({"x", 0, 100}, {"y", 0, 10});
  plot.Bar(50, 100, 5, "half");
  plot.Mark(50, "here");
  EXPECT_THAT(plot.Svg(), HasSubstr("x=\"381.0\" y=\"185.0\" width=\"318.0\" height=\"165.0\"><title>half"));
  EXPECT_THAT(plot.Svg(), HasSubstr("d=\"M380.0,350.0 V20.0\""));
}

TEST(SvgPlot, NamesAreEscaped) {
  SvgPlot plot({"a<b", 0, 1}, {"\"&\"", 0, 1});
  plot.Dots({{0, 0, "<script>"}}, "first");
  plot.Mark(0.5, "<i>");
  EXPECT_THAT(plot.Svg(), ::testing::AllOf(HasSubstr("a&lt;b"), HasSubstr("&quot;&amp;&quot;"),
                                           Not(HasSubstr("<script>")), Not(HasSubstr("<i>"))));
  EXPECT_THAT(HtmlPage("<t>", "<p>body</p>"), ::testing::AllOf(HasSubstr("&lt;t&gt;"), HasSubstr("<p>body</p>")));
}

}  // namespace
}  // namespace pointsman::offline
