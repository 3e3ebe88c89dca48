# Media nodes of one region: a group of machines that replaces what fails.
terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

locals {
  name         = "connect-node-${var.region}"
  media_port   = 40000
  quic_port    = 40100
  private_port = 9090
}

resource "aws_ssm_parameter" "node_key" {
  name             = "/connect/${var.region}/node-key"
  description      = "Signs the tokens with which nodes register at the edge."
  type             = "SecureString"
  value_wo         = var.node_key
  value_wo_version = var.fleet.node_key_version
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "node" {
  statement {
    actions   = ["ssm:GetParameter"]
    resources = [aws_ssm_parameter.node_key.arn]
  }
}

resource "aws_iam_role" "node" {
  name               = local.name
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "node" {
  name   = "read-node-key"
  role   = aws_iam_role.node.id
  policy = data.aws_iam_policy_document.node.json
}

resource "aws_iam_instance_profile" "node" {
  name = local.name
  role = aws_iam_role.node.name
}

data "aws_ssm_parameter" "machine_image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

resource "aws_launch_template" "node" {
  name                   = local.name
  image_id               = data.aws_ssm_parameter.machine_image.insecure_value
  instance_type          = var.size.instance_type
  vpc_security_group_ids = [aws_security_group.node.id]
  update_default_version = true
  iam_instance_profile {
    name = aws_iam_instance_profile.node.name
  }
  # IMDSv2 alone, and no further than the machine itself: a container that was broken into gets no credentials.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size = 20
      volume_type = "gp3"
      encrypted   = true
    }
  }
  user_data = base64encode(templatefile("${path.module}/user-data.sh.tftpl", {
    edge         = var.fleet.edge
    image        = var.fleet.image
    key_name     = aws_ssm_parameter.node_key.name
    key_version  = var.fleet.node_key_version
    media_port   = local.media_port
    private_port = local.private_port
    quic_port    = local.quic_port
    region       = var.region
    shards       = var.size.shards
  }))
  tag_specifications {
    resource_type = "instance"
    tags          = { Name = local.name }
  }
}

resource "aws_autoscaling_group" "node" {
  name                = local.name
  min_size            = var.size.nodes
  max_size            = var.size.nodes + 1
  desired_capacity    = var.size.nodes
  vpc_zone_identifier = aws_subnet.public[*].id
  health_check_type   = "EC2"
  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }
  # A change starts the new node before the old one goes, one after the other.
  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 110
      instance_warmup        = 120
    }
  }
}
