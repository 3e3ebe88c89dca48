# What the made-up cloud answers where its own inventions would not be valid.
mock_data "aws_availability_zones" {
  defaults = { names = ["a", "b", "c"] }
}

mock_data "aws_iam_policy_document" {
  defaults = { json = "{}" }
}

mock_data "aws_ssm_parameter" {
  defaults = { insecure_value = "ami-0123456789abcdef0" }
}

mock_resource "aws_launch_template" {
  defaults = { id = "lt-0123456789abcdef0" }
}
