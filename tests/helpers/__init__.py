"""What several tests share: small models, trainings, files and golden figures."""
