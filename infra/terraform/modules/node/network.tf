# A network of its own with public subnets, and who may reach what in it.
data "aws_availability_zones" "up" {
  state = "available"
}

resource "aws_vpc" "this" {
  cidr_block = "10.77.0.0/16"
  tags       = { Name = local.name }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = local.name }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }
  tags = { Name = local.name }
}

resource "aws_subnet" "public" {
  count                   = 2
  vpc_id                  = aws_vpc.this.id
  cidr_block              = cidrsubnet(aws_vpc.this.cidr_block, 8, count.index)
  availability_zone       = data.aws_availability_zones.up.names[count.index]
  map_public_ip_on_launch = true
  tags                    = { Name = local.name }
}

resource "aws_route_table_association" "public" {
  count          = length(aws_subnet.public)
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_security_group" "node" {
  name        = local.name
  description = "Media and QUIC in; HTTPS and UDP out."
  vpc_id      = aws_vpc.this.id
  tags        = { Name = local.name }
}

resource "aws_vpc_security_group_ingress_rule" "media" {
  security_group_id = aws_security_group.node.id
  description       = "Media of clients."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "udp"
  from_port         = local.media_port
  to_port           = local.media_port + var.size.shards - 1
}

resource "aws_vpc_security_group_ingress_rule" "media_tcp" {
  security_group_id = aws_security_group.node.id
  description       = "Media of clients whose networks block UDP (ICE-TCP)."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = local.media_port
  to_port           = local.media_port + var.size.shards - 1
}

resource "aws_vpc_security_group_ingress_rule" "quic" {
  security_group_id = aws_security_group.node.id
  description       = "Other nodes, of any region; certificates are pinned."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "udp"
  from_port         = local.quic_port
  to_port           = local.quic_port + var.size.shards - 1
}

resource "aws_vpc_security_group_ingress_rule" "metrics" {
  for_each          = toset(var.fleet.scrapers)
  security_group_id = aws_security_group.node.id
  description       = "Prometheus."
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = local.private_port
  to_port           = local.private_port
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.node.id
  description       = "The edge, the registry, the parameter store."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "udp" {
  security_group_id = aws_security_group.node.id
  description       = "Media to clients and QUIC to other nodes, whose ports are theirs to choose."
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "udp"
  from_port         = 1024
  to_port           = 65535
}
