# One region: what is open, what a node may read, how it starts.
mock_provider "aws" {
  source = "../../tests/cloud"
}

variables {
  region   = "eu-west"
  node_key = "0000000000000000000000000000000000000000000"
  size     = { nodes = 2, instance_type = "c7i.large", shards = 4 }
  fleet = {
    edge             = "https://connect.example.org"
    image            = "registry.example.org/connect-node:1"
    node_key_version = 1
    scrapers         = []
  }
}

run "opens_a_port_per_shard_and_nothing_else" {
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.media.from_port == 40000 && aws_vpc_security_group_ingress_rule.media.to_port == 40003 &&
      aws_vpc_security_group_ingress_rule.quic.from_port == 40100 && aws_vpc_security_group_ingress_rule.quic.to_port == 40103
    )
    error_message = "Each shard has one media and one QUIC port."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.media.ip_protocol == "udp" && aws_vpc_security_group_ingress_rule.quic.ip_protocol == "udp"
    error_message = "Media and QUIC are UDP."
  }
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.media_tcp.ip_protocol == "tcp" &&
      aws_vpc_security_group_ingress_rule.media_tcp.from_port == 40000 && aws_vpc_security_group_ingress_rule.media_tcp.to_port == 40003
    )
    error_message = "Clients reach the media ports by TCP, too."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.metrics) == 0
    error_message = "Metrics are private unless a scraper is named."
  }
}

run "reads_its_key_and_no_other_secret" {
  assert {
    condition     = data.aws_iam_policy_document.node.statement[0].resources == toset([aws_ssm_parameter.node_key.arn])
    error_message = "The role reads one parameter."
  }
  assert {
    condition     = data.aws_iam_policy_document.node.statement[0].actions == toset(["ssm:GetParameter"]) && length(data.aws_iam_policy_document.node.statement) == 1
    error_message = "The role may do one thing."
  }
}

run "keeps_the_key_out_of_what_is_stored" {
  assert {
    condition     = !strcontains(base64decode(aws_launch_template.node.user_data), var.node_key) && aws_ssm_parameter.node_key.value_wo == null
    error_message = "The key is written to the parameter store alone."
  }
}

run "starts_with_imdsv2_and_its_settings" {
  assert {
    condition     = aws_launch_template.node.metadata_options[0].http_tokens == "required"
    error_message = "IMDSv1 must be off."
  }
  assert {
    condition     = strcontains(base64decode(aws_launch_template.node.user_data), "CONNECT_SHARDS=4")
    error_message = "The node learns its shards."
  }
}
