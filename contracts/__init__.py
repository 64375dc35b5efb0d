"""What services tell each other: public events and their upcasters, one module per producer."""
