"""What runs beneath the services: engines, topics, images, the operator's command."""
