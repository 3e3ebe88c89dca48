# What others may refer to.
output "group" {
  description = "Name of the auto scaling group."
  value       = aws_autoscaling_group.node.name
}

output "security_group" {
  description = "The nodes' security group."
  value       = aws_security_group.node.id
}
