"""What is held: defining, issuing, moving, holding and redeeming."""
